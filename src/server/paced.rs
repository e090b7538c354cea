//! The body of a reply that leaves piece by piece, or ends before its end.

use std::{
    future::Future,
    num::NonZeroU64,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    body::BoxError,
    parcel::{Parcel, Receipt, With},
    watch::{Break, later},
};

/// A body that leaves piece by piece, or ends before its end.
pub(super) struct Paced {
    /// What is still to leave.
    rest: Bytes,
    /// How many bytes after that are announced, and never leave.
    missing: u64,
    pace: Option<Pace>,
    /// Goes with the last piece, when nothing is missing.
    receipt: Option<Receipt>,
    /// Ready once the last piece has gone, when something is missing.
    last: Option<oneshot::Receiver<()>>,
}

/// How fast a body leaves.
pub(super) struct Pace {
    rate: NonZeroU64,
    began: Instant,
    /// How many bytes have left.
    gone: u64,
    /// When there is no more waiting.
    end: Instant,
    stop: CancellationToken,
    /// The wait for the next piece.
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Pace {
    /// So many bytes a second, for so long at most and until the server stops; what is left then leaves at once.
    pub(super) fn new(rate: NonZeroU64, longest: Duration, stop: CancellationToken) -> Self {
        let began = Instant::now();
        let end = later(began, longest);
        Self { rate, began, gone: 0, end, stop, pause: None }
    }

    /// How many of `rest` bytes leave next, once it is time for them.
    fn poll_size(&mut self, rest: usize, cx: &mut Context<'_>) -> Poll<usize> {
        let mut size = rest;
        if !self.stop.is_cancelled() && self.end > Instant::now() {
            let usual = usize::try_from(self.rate.get() / PIECES).unwrap_or(usize::MAX);
            size = usual.clamp(1, rest.max(1));
            let due = self.due(size);
            let pause = self.pause.get_or_insert_with(|| {
                let stop = self.stop.clone();
                Box::pin(async move {
                    tokio::select! {
                        () = sleep_until(due) => {}
                        () = stop.cancelled() => {}
                    }
                })
            });
            ready!(pause.as_mut().poll(cx));
        }
        self.pause = None;
        self.gone += size as u64;
        Poll::Ready(size)
    }

    /// When the next `size` bytes may have left.
    fn due(&self, size: usize) -> Instant {
        let bytes = u128::from(self.gone) + size as u128;
        let nanos = bytes * 1_000_000_000 / u128::from(self.rate.get());
        let time = u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos);
        later(self.began, time).min(self.end)
    }
}

impl Paced {
    /// The first `length` bytes of a body, at this pace; where that is not all of it, the reply is broken off after them.
    pub(super) fn new(mut body: Bytes, length: usize, pace: Option<Pace>, receipt: Receipt) -> Self {
        let missing = body.len().saturating_sub(length) as u64;
        body.truncate(length);
        Self { rest: body, missing, pace, receipt: Some(receipt), last: None }
    }

    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Parcel>, BoxError>>> {
        let Some(receipt) = &mut self.receipt else { return Poll::Ready(None) };
        if let Some(last) = &mut self.last {
            // hyper drops what it has in hand when a body fails, so that happens once it has nothing of it any more.
            // hyper may ask again before the socket has ended the connection.
            if !last.is_terminated() {
                let _ = ready!(Pin::new(last).poll(cx));
            }
            if receipt.in_flight.is_http2() {
                return Poll::Ready(Some(Err("the reply is cut off, as was asked".into())));
            }
            // Its socket ends the connection after the last byte.
            receipt.in_flight.break_off(Break::Close);
            return Poll::Pending;
        }
        let size = match &mut self.pace {
            None => self.rest.len(),
            Some(pace) => match pace.poll_size(self.rest.len(), cx) {
                Poll::Ready(size) => size,
                Poll::Pending => {
                    // Now it is us who are waited for.
                    receipt.in_flight.not_replying();
                    return Poll::Pending;
                }
            },
        };
        let piece = self.rest.split_to(size);
        receipt.handed_over();
        let parcel = if !self.rest.is_empty() {
            Parcel::piece(piece, With::Nothing)
        } else if self.missing > 0 {
            let (taken, last) = oneshot::channel();
            self.last = Some(last);
            Parcel::piece(piece, With::Taken { _taken: taken })
        } else {
            match self.receipt.take() {
                Some(receipt) => Parcel::whole(piece, receipt),
                None => Parcel::piece(piece, With::Nothing),
            }
        };
        Poll::Ready(Some(Ok(Frame::data(parcel))))
    }

    pub(super) fn is_end_stream(&self) -> bool {
        self.receipt.is_none()
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64 + self.missing)
    }
}

/// How many pieces leave in a second, unless they would have less than a byte.
const PIECES: u64 = 50;

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        sync::{Arc, Weak, atomic::AtomicUsize},
    };

    use bytes::Buf;

    use super::{
        super::{
            budget::Hold,
            watch::{InFlight, Watch},
        },
        *,
    };

    fn receipt() -> Receipt {
        let in_flight = InFlight::begin(Watch::new(), &Arc::new(AtomicUsize::new(0)));
        Receipt::new(Weak::new(), Hold::default(), in_flight)
    }

    fn paced(size: usize, rate: u64, longest: Duration, stop: &CancellationToken) -> Paced {
        let rate = NonZeroU64::new(rate).unwrap();
        let pace = Pace::new(rate, longest, stop.clone());
        Paced::new(Bytes::from(vec![b'x'; size]), size, Some(pace), receipt())
    }

    /// The sizes of the pieces, and when each was there, in milliseconds.
    async fn pieces(mut paced: Paced) -> Vec<(usize, u128)> {
        let began = Instant::now();
        let mut pieces = Vec::new();
        while let Some(frame) = poll_fn(|cx| paced.poll_frame(cx)).await {
            let parcel = frame.unwrap().into_data().unwrap();
            pieces.push((parcel.remaining(), began.elapsed().as_millis()));
        }
        assert!(paced.is_end_stream());
        pieces
    }

    fn seconds(pieces: &[(usize, u128)]) -> Vec<(usize, u128)> {
        pieces.iter().map(|(size, millis)| (*size, millis / 1000)).collect()
    }

    const FOREVER: Duration = Duration::MAX;

    #[tokio::test(start_paused = true)]
    async fn a_body_takes_as_long_as_its_bytes_at_this_pace() {
        for (size, rate, millis) in [
            (1000, 1000, 1000),
            (1, 1000, 1),
            (3, 1, 3000),
            (100_000, 1_000_000, 100),
            (1_000_000, 100_000, 10_000),
            (5, u64::MAX, 0),
        ] {
            let pieces = pieces(paced(size, rate, FOREVER, &CancellationToken::new())).await;

            assert_eq!(pieces.iter().map(|(size, _)| size).sum::<usize>(), size);
            let (_, took) = pieces[pieces.len() - 1];
            assert!((millis..=millis + 1).contains(&took), "{size} at {rate}: {took} ms");
            // Bytes come all the time, not all of them at its end.
            let gap = pieces.windows(2).map(|pair| pair[1].1 - pair[0].1).max().unwrap_or_default();
            assert!(gap <= 21 || rate < 50, "{size} at {rate}: nothing for {gap} ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_stop_or_the_longest_time_sends_what_is_left() {
        let stop = CancellationToken::new();
        let limited = pieces(paced(1000, 1, Duration::from_secs(5), &stop)).await;
        assert_eq!(seconds(&limited), [(1, 1), (1, 2), (1, 3), (1, 4), (996, 5)]);

        let slow = tokio::spawn(pieces(paced(1000, 1, FOREVER, &stop)));
        tokio::time::sleep(Duration::from_millis(2500)).await;
        stop.cancel();
        assert_eq!(seconds(&slow.await.unwrap()), [(1, 1), (1, 2), (998, 2)]);
    }
}
