//! Lines on their way to a thread that writes them.

use std::{
    io::Write,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// Lines that wait to be written, at most [`CAPACITY`] bytes of them. What does not fit is dropped, counted and said.
#[derive(Default)]
pub(super) struct Queue {
    buffer: Mutex<Buffer>,
    /// There is something to write.
    filled: Condvar,
    /// Everything is written.
    written: Condvar,
}

#[derive(Default)]
struct Buffer {
    lines: Vec<u8>,
    dropped: u64,
    writing: bool,
    hurry: bool,
}

impl Queue {
    /// A queue that a thread of its own writes to `out`, for as long as the process runs; `dropped` makes the line that
    /// stands for so many dropped ones. Without a thread, lines are dropped.
    pub(super) fn new(dropped: fn(u64) -> String, out: impl Write + Send + 'static) -> Arc<Self> {
        let queue = Arc::new(Self::default());
        let writer = Arc::clone(&queue);
        let _ = thread::Builder::new().name("standin-log".into()).spawn(move || writer.write(dropped, out));
        queue
    }

    /// Adds a line, with its end.
    pub(super) fn push(&self, line: &[u8]) {
        let mut buffer = self.lock();
        if buffer.lines.len() + line.len() > CAPACITY {
            buffer.dropped += 1;
            return;
        }
        let first = buffer.lines.is_empty();
        buffer.lines.extend_from_slice(line);
        drop(buffer);
        if first {
            self.filled.notify_one();
        }
    }

    /// Waits until what there is so far is written, but no longer than `time`.
    pub(super) fn flush(&self, time: Duration) {
        let mut buffer = self.lock();
        buffer.hurry = true;
        self.filled.notify_one();
        let _ = self.written.wait_timeout_while(buffer, time, |buffer| {
            buffer.writing || !buffer.lines.is_empty() || buffer.dropped > 0
        });
    }

    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, dropped_line: fn(u64) -> String, mut out: impl Write) {
        let mut lines = Vec::new();
        let mut buffer = self.lock();
        loop {
            while buffer.lines.is_empty() && buffer.dropped == 0 {
                buffer.hurry = false;
                self.written.notify_all();
                buffer = self.filled.wait(buffer).unwrap_or_else(PoisonError::into_inner);
            }
            // Under load a wake-up per line would cost more than the line, so more lines are given a moment to come.
            (buffer, _) = self
                .filled
                .wait_timeout_while(buffer, BATCH, |buffer| !buffer.hurry)
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut lines, &mut buffer.lines);
            let dropped = std::mem::take(&mut buffer.dropped);
            buffer.writing = true;
            drop(buffer);
            if dropped > 0 {
                lines.extend_from_slice(dropped_line(dropped).as_bytes());
            }
            // When the log cannot be written, there is nobody to tell.
            let _ = out.write_all(&lines).and_then(|()| out.flush());
            lines.clear();
            buffer = self.lock();
            buffer.writing = false;
        }
    }
}

/// Bytes that may wait to be written.
pub(super) const CAPACITY: usize = 1024 * 1024;

/// How long the writer waits for more before it writes.
const BATCH: Duration = Duration::from_millis(10);
