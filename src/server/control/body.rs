//! Bodies that are made while they are sent, so that a long one never exists as a whole.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::{Full, combinators::UnsyncBoxBody};
use hyper::body::{Body, Frame};

/// The body of a control reply.
pub(crate) type ControlBody = UnsyncBoxBody<Bytes, Infallible>;

/// A body that is there.
pub(super) fn whole(bytes: Bytes) -> ControlBody {
    UnsyncBoxBody::new(Full::new(bytes))
}

/// A body of pieces, each of them made when the one before has been taken.
pub(super) fn pieces<I>(pieces: I) -> ControlBody
where
    I: Iterator<Item = String> + Send + Unpin + 'static,
{
    UnsyncBoxBody::new(Pieces(pieces))
}

/// A body of pieces that come in their own time. `next` makes a piece from the state and gives the state back; the body
/// ends when it gives none.
pub(super) fn unfold<S, N, F>(state: S, next: N) -> ControlBody
where
    N: Fn(S) -> F + Send + Unpin + 'static,
    F: Future<Output = Option<(String, S)>> + Send + 'static,
    S: 'static,
{
    let future = Box::pin(next(state));
    UnsyncBoxBody::new(Unfold { next, future: Some(future) })
}

struct Pieces<I>(I);

impl<I: Iterator<Item = String> + Unpin> Body for Pieces<I> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(piece.into()))))
    }
}

struct Unfold<N, F> {
    next: N,
    future: Option<Pin<Box<F>>>,
}

impl<S, N, F> Body for Unfold<N, F>
where
    N: Fn(S) -> F + Unpin,
    F: Future<Output = Option<(String, S)>>,
{
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(future) = &mut self.future else {
            return Poll::Ready(None);
        };
        match future.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => {
                self.future = None;
                Poll::Ready(None)
            }
            Poll::Ready(Some((piece, state))) => {
                let future = (self.next)(state);
                self.future = Some(Box::pin(future));
                Poll::Ready(Some(Ok(Frame::data(piece.into()))))
            }
        }
    }
}
