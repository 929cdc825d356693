//! Files that are sent: a process opens one and passes its descriptor ahead of the record, by another way, since a lane
//! carries bytes alone. So a record's descriptor is there when the record is, and the numbers beside both say which
//! belong together.

use std::collections::{HashMap, VecDeque};

use rotor_ipc::SessionId;
use rotor_ipc::lane::{Consumer, Record};
use rotor_ipc::ring::Broken;
use rotor_sys::descriptors::{DescriptorReceiver, Passed};
use rotor_sys::regular::RegularFile;

use super::connection::{Connection, Why};
use super::early::Early;
use super::output::FilePart;
use super::{Reactor, add};
use crate::disk::{FileJob, FileJobs};
use crate::outlets::FileRecord;

/// What a reactor has for files.
pub(super) struct Files {
    way: DescriptorReceiver,
    /// By outlet: what has come, and whose records have not.
    early: HashMap<u64, VecDeque<Passed>>,
    /// Connections that may send more of a file, once the others have had their turn.
    pub sending: Vec<SessionId>,
    /// The way to the helper thread.
    pub jobs: FileJobs,
}

impl Files {
    pub(super) fn new(way: DescriptorReceiver, jobs: FileJobs) -> Self {
        Self { way, early: HashMap::new(), sending: Vec::new(), jobs }
    }

    /// The descriptor that belongs to a record, and why there is none. What the same process has sent before it and never
    /// posted a record for is dropped.
    fn take(&mut self, tag: [u64; 2]) -> Result<RegularFile, String> {
        let mut waiting = self.early.remove(&tag[0]).unwrap_or_default();
        let found = loop {
            let passed = match waiting.pop_front() {
                Some(passed) => Some(passed),
                None => self.way.receive().map_err(|error| error.to_string())?,
            };
            match passed {
                Some(passed) if passed.tag == tag => break Some(passed),
                Some(passed) if passed.tag[0] == tag[0] => {}
                Some(passed) => self.early.entry(passed.tag[0]).or_default().push_back(passed),
                None => break None,
            }
        };
        if !waiting.is_empty() {
            self.early.insert(tag[0], waiting);
        }
        let passed = found.ok_or("its descriptor has not come")?;
        let descriptor =
            passed.descriptor.ok_or("the master has no descriptor left for it; raise the limit (ulimit -n)")?;
        RegularFile::from_descriptor(descriptor).map_err(|_| "it is no regular file".to_owned())
    }

    /// Drops what a process has sent that is dead, and whose records were all taken.
    fn forget(&mut self, outlet: u64) {
        // An error is told of by whoever needs the next.
        while let Ok(Some(passed)) = self.way.receive() {
            self.early.entry(passed.tag[0]).or_default().push_back(passed);
        }
        self.early.remove(&outlet);
    }
}

/// What a record says of a file.
pub(super) fn file_of_record(lane: &Consumer, record: &Record) -> Result<FileRecord, Broken> {
    let word = |index| {
        lane.word(record, index).ok_or(Broken { what: "a file's record has length", found: record.body as u64 })
    };
    let [offset, len, number] = [word(0)?, word(1)?, word(2)?];
    if offset.checked_add(len).is_none() {
        return Err(Broken { what: "a part of a file has length", found: len });
    }
    Ok(FileRecord { offset, len, number })
}

impl Reactor {
    /// A process sends a part of a file.
    pub(super) fn on_file_record(&mut self, id: SessionId, outlet: usize, record: &FileRecord) -> Result<(), Broken> {
        // Whether or not anybody wants it any more: it must not stay.
        let file = self.files.take([outlet as u64, record.number]);
        match file {
            Ok(file) => self.on_send_file(id, FilePart { file, offset: record.offset, len: record.len }),
            Err(why) => {
                self.log.limited().error(|| format!("session {id}: a file cannot be sent: {why}; closing"));
                match self.take(id) {
                    Some(mut connection) => {
                        self.break_off(&mut connection, 0);
                        self.settle(connection)
                    }
                    None => {
                        if Early::is_for(&self.sessions, id) {
                            self.early.close(id, true);
                        }
                        Ok(())
                    }
                }
            }
        }
    }

    /// A part of a file goes to a session.
    pub(super) fn on_send_file(&mut self, id: SessionId, part: FilePart) -> Result<(), Broken> {
        let Some(mut connection) = self.take(id) else {
            if Early::is_for(&self.sessions, id) {
                self.early.send_file(id, part, &self.files.jobs);
            } else {
                add(&self.counters.dropped, 1);
            }
            return Ok(());
        };
        if connection.accepts_output() {
            self.add_file_to_batch(&mut connection, part);
        } else {
            add(&self.counters.dropped, 1);
        }
        self.put_back(connection);
        Ok(())
    }

    /// Has the helper thread read what a connection sends next.
    pub(super) fn read_ahead(&mut self, connection: &mut Connection) {
        if let Some(ahead) = connection.output.wanted_ahead() {
            let job = FileJob::ReadAhead {
                session: connection.id,
                file: ahead.file,
                offset: ahead.offset,
                len: ahead.len,
                reply: self.reply.clone(),
            };
            // The helper outlives the reactors.
            let _ = self.files.jobs.send(job);
        }
    }

    /// The helper thread has read, or could not.
    pub(super) fn on_read_ahead(
        &mut self,
        id: SessionId,
        offset: u64,
        len: u64,
        result: std::io::Result<()>,
    ) -> Result<(), Broken> {
        let Some(mut connection) = self.take(id) else { return Ok(()) };
        match result {
            Ok(()) => {
                connection.output.has_read_ahead(offset, len);
                self.send_queued(&mut connection);
            }
            Err(error) => self.on_file_failed(&mut connection, &error),
        }
        self.settle(connection)
    }

    /// A file cannot be sent to its end.
    pub(super) fn on_file_failed(&mut self, connection: &mut Connection, error: &std::io::Error) {
        let id = connection.id;
        let why = error.raw_os_error().map_or_else(|| error.to_string(), crate::error::describe_errno);
        self.log.limited().warning(|| format!("session {id}: a file cannot be sent to its end: {why}; closing"));
        self.break_off(connection, error.raw_os_error().unwrap_or(0));
    }

    /// Ends a connection by a reset: what its peer has got is not all that it should have, and it has to see that.
    pub(super) fn break_off(&mut self, connection: &mut Connection, errno: i32) {
        self.sessions.set_close_errno(connection.id, errno);
        connection.end_input(Why::Server);
        self.drop_unread(connection);
        self.forget_batch(connection);
        self.reset_socket(connection);
    }

    /// Lets connections send more of their files whose turn was over.
    pub(super) fn send_files(&mut self) -> Result<(), Broken> {
        for id in std::mem::take(&mut self.files.sending) {
            let Some(mut connection) = self.take(id) else { continue };
            connection.is_sending = false;
            self.send_queued(&mut connection);
            self.settle(connection)?;
        }
        Ok(())
    }

    /// A process is dead and all that it has posted was taken.
    pub(super) fn forget_descriptors(&mut self, outlet: usize) {
        self.files.forget(outlet as u64);
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::sync::mpsc::channel;

    use rotor_sys::descriptors::{DescriptorSender, Tag, way};

    use super::*;

    /// The sending end, and a reactor's.
    fn files() -> (DescriptorSender, Files) {
        let (sender, receiver) = way().unwrap();
        (sender, Files::new(receiver, channel().0))
    }

    /// Passes a file that has as many bytes.
    fn pass(sender: &DescriptorSender, tag: Tag, size: usize) {
        let path = std::env::temp_dir().join(format!("rotor-passed-{}-{tag:?}-{size}", std::process::id()));
        std::fs::write(&path, vec![7; size]).unwrap();
        sender.send(tag, std::fs::File::open(&path).unwrap().as_fd()).unwrap();
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_record_gets_its_own_descriptor_in_whatever_order_processes_are_looked_at() {
        let (sender, mut files) = files();
        for (place, outlet) in [1, 2, 1, 3, 2].into_iter().enumerate() {
            pass(&sender, [outlet, place as u64], place + 1);
        }
        for (outlet, place) in [(3, 3), (1, 0), (2, 1), (2, 4), (1, 2)] {
            assert_eq!(files.take([outlet, place]).unwrap().size().unwrap(), place + 1);
        }
        assert!(files.early.is_empty());
    }

    #[test]
    fn what_was_passed_without_a_record_is_dropped_when_its_process_is_dead_or_passes_the_next() {
        let (sender, mut files) = files();
        // Generation 2 has died between descriptor and record, and nobody has told of it yet.
        pass(&sender, [1, 2 << 32 | 1], 10);
        pass(&sender, [5, 7], 20);
        pass(&sender, [1, 4 << 32 | 1], 30);
        assert_eq!(files.take([1, 4 << 32 | 1]).unwrap().size().unwrap(), 30);
        assert_eq!(files.early.len(), 1, "another process's");
        pass(&sender, [5, 8], 40);
        files.forget(5);
        assert!(files.early.is_empty());
        assert!(files.way.receive().unwrap().is_none());
    }

    #[test]
    fn a_record_whose_descriptor_is_not_there_or_no_file_says_so() {
        let (sender, mut files) = files();
        pass(&sender, [1, 1], 10);
        assert_eq!(files.take([1, 2]).unwrap_err(), "its descriptor has not come");
        let (pipe, _writer) = std::io::pipe().unwrap();
        sender.send([1, 3], pipe.as_fd()).unwrap();
        assert_eq!(files.take([1, 3]).unwrap_err(), "it is no regular file");
    }
}
