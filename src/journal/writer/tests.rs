use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::*;
use crate::{
    Journal, JournalLimits,
    journal::tests::exchange,
    render::ndjson::{Run, read},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A file that fails, or waits, when it is told to.
#[derive(Clone, Default)]
struct Out(Arc<(Mutex<Disk>, Condvar)>);

#[derive(Default)]
struct Disk {
    bytes: Vec<u8>,
    is_full: bool,
    /// Told once about the next write, which then waits until it can receive something.
    stall: Option<(SyncSender<()>, Receiver<()>)>,
}

impl io::Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let stall = self.0.0.lock().unwrap().stall.take();
        if let Some((begun, go_on)) = stall {
            let _ = begun.send(());
            let _ = go_on.recv();
        }
        let mut disk = self.0.0.lock().unwrap();
        if disk.is_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        disk.bytes.extend_from_slice(bytes);
        self.0.1.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Out {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.0.lock().unwrap()
    }

    /// Waits until what has been written is enough.
    fn until(&self, is_enough: impl Fn(&str) -> bool) -> String {
        let is_short = |disk: &mut Disk| !is_enough(str::from_utf8(&disk.bytes).unwrap());
        let (disk, out) = self.0.1.wait_timeout_while(self.disk(), PATIENCE, is_short).unwrap();
        assert!(!out.timed_out(), "{}", String::from_utf8_lossy(&disk.bytes));
        String::from_utf8(disk.bytes.clone()).unwrap()
    }

    fn run(&self) -> Run {
        let mut runs = read(&self.disk().bytes).unwrap();
        assert_eq!(runs.len(), 1);
        runs.remove(0)
    }
}

fn journal(out: &Out) -> Journal {
    Journal::new(JournalLimits::default()).written_by(Arc::new(Writer::start(out.clone()).unwrap()))
}

fn record(journal: &Journal, body: &str) -> Arc<Recorded> {
    let recorded = journal.record(exchange("createAgent", body));
    recorded.delivery.settle(Delivery::Sent);
    recorded
}

/// Keeps the file from being written until the sender that is returned is dropped.
fn stalled(out: &Out, journal: &Journal) -> SyncSender<()> {
    let ((begun, begins), (go_on, waits)) = (sync_channel(1), sync_channel(1));
    out.disk().stall = Some((begun, waits));
    record(journal, "{}");
    begins.recv_timeout(PATIENCE).unwrap();
    go_on
}

#[test]
fn an_exchange_is_written_once_its_delivery_is_settled() {
    let out = Out::default();
    let journal = journal(&out);

    let recorded = record(&journal, "{}");

    let text = out.until(|text| text.ends_with('\n'));
    assert_eq!(text, ndjson::line(&recorded) + "\n");
    assert!(text.contains("\"delivery\":\"sent\""), "{text}");
}

#[test]
fn a_delivery_that_takes_long_is_told_afterwards() {
    let out = Out::default();
    let journal = journal(&out);

    let recorded = journal.record(exchange("createAgent", "{}"));
    let (delivery, kept) = (recorded.delivery.clone(), Arc::downgrade(&recorded));
    drop(recorded);
    out.until(|text| text.contains("\"delivery\":\"pending\""));
    journal.clear();
    assert!(kept.upgrade().is_none(), "no exchange is kept for its delivery");
    delivery.settle(Delivery::Aborted);
    let text = out.until(|text| text.lines().count() == 2);

    assert!(text.ends_with("\n{\"id\":1,\"delivery\":\"aborted\"}\n"), "{text}");
    assert_eq!(out.run().exchanges[0].delivery.get(), Delivery::Aborted);
}

#[test]
fn a_slow_disk_delays_nobody_and_what_finds_no_room_is_counted_and_said() {
    let out = Out::default();
    let journal = journal(&out);
    let go_on = stalled(&out, &journal);

    let body = "x".repeat(1024 * 1024);
    for _ in 0..40 {
        record(&journal, &body);
    }
    let writer = journal.writer().unwrap();
    let dropped = writer.counts().dropped;
    assert!((8..40).contains(&dropped), "{dropped}");
    drop(go_on);
    let ended = writer.finish(PATIENCE);

    assert_eq!(ended, Ended { written: 41 - dropped, missing: dropped, error: None });
    let run = out.run();
    assert_eq!((run.exchanges.len() as u64, run.dropped), (41 - dropped, dropped));
}

#[test]
fn a_disk_that_was_full_gets_a_line_that_says_how_much_is_missing() {
    let out = Out::default();
    let journal = journal(&out);
    out.disk().is_full = true;
    record(&journal, "{}");
    record(&journal, "{}");
    while journal.writer().unwrap().counts().dropped < 2 {
        thread::yield_now();
    }
    out.disk().is_full = false;
    record(&journal, "{}");

    let ended = journal.writer().unwrap().finish(PATIENCE);

    assert_eq!(ended, Ended { written: 1, missing: 2, error: None });
    let run = out.run();
    assert_eq!((run.exchanges[0].id, run.dropped), (3, 2));
}

#[test]
fn the_end_says_what_is_missing_and_why_when_nothing_can_be_written() {
    let out = Out::default();
    let journal = journal(&out);
    out.disk().is_full = true;
    record(&journal, "{}");

    let ended = journal.writer().unwrap().finish(PATIENCE);

    assert_eq!((ended.written, ended.missing), (0, 1));
    assert_eq!(ended.error.as_deref(), Some("no storage space"));
}

#[test]
fn the_end_waits_no_longer_than_it_may_and_counts_the_rest() {
    let out = Out::default();
    let journal = journal(&out);
    let _go_on = stalled(&out, &journal);
    record(&journal, "{}");

    let ended = journal.writer().unwrap().finish(Duration::ZERO);

    assert_eq!((ended.written, ended.missing), (0, 2));
}

#[test]
fn what_cannot_be_written_before_the_end_is_a_last_line() {
    let out = Out::default();
    let journal = journal(&out);
    let go_on = stalled(&out, &journal);
    record(&journal, "{}");
    let writer = journal.writer().unwrap();
    writer.finish(Duration::ZERO);

    drop(go_on);

    let text = out.until(|text| text.lines().count() == 2);
    assert!(text.ends_with("\n{\"dropped\":1}\n"), "{text}");
}
