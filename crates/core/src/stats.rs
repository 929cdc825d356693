//! The counters of `stats()`, summed up from where each has its one writer.

use rotor_ipc::WorkerId;
use rotor_ipc::record::Kind;
use rotor_ipc::recovery::has_owner;
use rotor_ipc::segment::{ReactorCounters, Segment};
use rotor_ipc::sync::AtomicU64;
use rotor_ipc::sync::Ordering::Relaxed;
use rotor_ipc::workers::{SeatCounters, SeatEntry, SeatState, seat_of};

use crate::process::{Context, reload_result};

/// Connections that are open now: all, or those of the port at a place.
pub fn connections(segment: &Segment, port: Option<usize>) -> u64 {
    match port {
        None => sum_reactors(segment, |counters| &counters.connections),
        Some(place) => {
            let counts = (0..segment.reactors()).filter_map(|reactor| segment.port_connections(reactor).get(place));
            counts.map(|count| count.load(Relaxed)).sum()
        }
    }
}

/// Messages that are in a callback now.
fn concurrency(segment: &Segment) -> usize {
    let seats = segment.worker_ids().flat_map(|worker| [segment.seat(worker, 0), segment.seat(worker, 1)]);
    seats.filter(|seat| has_message(seat)).count()
}

/// Whether the process in a seat has a message in hand.
fn has_message(seat: &SeatEntry) -> bool {
    seat.in_hand.look().is_some_and(|held| matches!(held.kind, Kind::Receive | Kind::Packet))
}

/// A worker or user process that asks for its own counters, too.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// Its slot.
    pub worker: WorkerId,
    /// Its seat.
    pub seat: &'static SeatEntry,
    /// What the seat's processes before it have sent.
    pub responses_before: u64,
}

/// All counters, and those of the process that asks beside them.
pub fn collect(context: &Context, own: Option<Own>) -> Vec<(&'static str, i64)> {
    let segment = context.segment;
    let (header, master) = (segment.header(), segment.master());
    let idle = segment
        .worker_ids()
        .filter(|worker| {
            let seat = segment.seat(*worker, seat_of(segment.slot(*worker).owner().current()));
            has_owner(segment, *worker) && seat.state() == SeatState::Idle
        })
        .count();
    let reactors = |field: fn(&ReactorCounters) -> &AtomicU64| sum_reactors(segment, field);
    let seats = |field: fn(&SeatCounters) -> &AtomicU64| sum_seats(segment, field);
    let dispatched = reactors(|counters| &counters.dispatched);
    let refusals = [
        ("refused_max_connection", master.refused.load(Relaxed)),
        ("refused_per_ip", master.refused_per_ip.load(Relaxed) + reactors(|counters| &counters.refused_per_ip)),
        ("refused_rate", master.refused_rate.load(Relaxed) + reactors(|counters| &counters.refused_rate)),
        ("refused_untrusted", master.refused_untrusted.load(Relaxed)),
        ("refused_unwatched", master.refused_unwatched.load(Relaxed)),
    ];
    let mut stats = vec![
        ("start_time", header.started_us.load(Relaxed) / 1_000_000),
        ("connection_num", connections(segment, None)),
        ("accept_count", master.accepted.load(Relaxed)),
        ("abort_count", refusals.iter().map(|(_, count)| count).sum()),
        refusals[0],
        refusals[1],
        refusals[2],
        refusals[3],
        refusals[4],
        ("accept_holds", master.holds.load(Relaxed)),
        ("accept_pauses", master.pauses.load(Relaxed)),
        ("close_count", reactors(|counters| &counters.closed)),
        ("worker_num", segment.workers() as u64),
        ("task_worker_num", 0),
        ("user_worker_num", segment.processes() as u64),
        ("idle_worker_num", idle as u64),
        ("concurrency", concurrency(segment) as u64),
        ("dispatch_count", dispatched),
        // The peer's name for the number of the last message.
        ("pipe_packet_msg_id", dispatched),
        ("request_count", seats(|counters| &counters.requests)),
        ("response_count", seats(|counters| &counters.responses)),
        ("total_recv_bytes", reactors(|counters| &counters.received_bytes)),
        ("total_send_bytes", reactors(|counters| &counters.sent_bytes)),
        ("session_round", master.last_session.load(Relaxed)),
        ("min_fd", master.lowest_fd.load(Relaxed)),
        ("max_fd", master.highest_fd.load(Relaxed)),
        ("dropped_records", reactors(|counters| &counters.dropped) + seats(|counters| &counters.dropped)),
        ("refused_messages", seats(|counters| &counters.refused)),
        ("exceptions", seats(|counters| &counters.exceptions)),
        ("lane_waits", seats(|counters| &counters.waits)),
        ("send_overflow_count", seats(|counters| &counters.overflows)),
        ("send_wait_count", seats(|counters| &counters.send_waits)),
        ("read_pauses", reactors(|counters| &counters.pauses)),
        ("spilled_messages", reactors(|counters| &counters.spilled)),
        ("protocol_errors", reactors(|counters| &counters.protocol_errors)),
        ("heartbeat_close_count", reactors(|counters| &counters.heartbeat_closed)),
        ("idle_close_count", reactors(|counters| &counters.idle_closed)),
        ("message_timeout_count", reactors(|counters| &counters.message_timeouts)),
        ("stalled_close_count", reactors(|counters| &counters.stalled_closed)),
        ("datagrams_received", reactors(|counters| &counters.datagrams_received)),
        ("datagrams_sent", reactors(|counters| &counters.datagrams_sent)),
        ("datagrams_truncated", reactors(|counters| &counters.datagrams_truncated)),
        ("datagrams_missed", reactors(|counters| &counters.datagrams_missed)),
        ("datagrams_unsent", reactors(|counters| &counters.datagrams_unsent)),
        ("ssl_handshakes", reactors(|counters| &counters.handshakes)),
        ("ssl_resumptions", reactors(|counters| &counters.resumptions)),
        ("ssl_failed_handshakes", reactors(|counters| &counters.failed_handshakes)),
        ("ssl_truncations", reactors(|counters| &counters.truncations)),
        ("reload_count", header.reloads.load(Relaxed)),
        ("failed_reload_count", header.failed_reloads.load(Relaxed)),
        ("generation", 1 + header.reloads.load(Relaxed)),
        ("recycle_count", header.recycled.load(Relaxed)),
        ("max_request_overshoot", seats(|counters| &counters.overshoot)),
        ("degraded", u64::from(header.slots_failing.load(Relaxed) > 0)),
        ("respawn_count", header.respawns.load(Relaxed)),
        ("crash_count", header.crashes.load(Relaxed)),
        ("slow_request_count", header.slow_requests.load(Relaxed)),
        ("request_timeout_count", header.timeouts.load(Relaxed)),
        ("lost_messages", header.lost_messages.load(Relaxed)),
        ("slots_backing_off", header.slots_backing_off.load(Relaxed)),
        ("log_lines_suppressed", header.log_lines_suppressed.load(Relaxed)),
        ("log_lines_dropped", header.log_lines_dropped.load(Relaxed)),
        ("blocks_in_use", blocks_in_use(segment) as u64),
        // There are none; who watches them finds what is looked for.
        ("coroutine_num", 0),
        ("coroutine_peek_num", 0),
    ];
    if let Some(Own { worker, seat, responses_before }) = own {
        stats
            .push(("worker_dispatch_count", if segment.has_inbox(worker) { segment.dispatched_to(worker) } else { 0 }));
        stats.push(("worker_request_count", seat.requests_here.load(Relaxed)));
        let responses = seat.counters.responses.load(Relaxed) - responses_before;
        stats.push(("worker_response_count", responses));
        stats.push(("worker_concurrency", u64::from(has_message(seat))));
    }
    let mut stats: Vec<_> =
        stats.into_iter().map(|(name, value)| (name, i64::try_from(value).unwrap_or(i64::MAX))).collect();
    let last_reload = match header.last_reload.load(Relaxed) {
        reload_result::SUCCESS => 1,
        reload_result::FAILURE => 0,
        _ => -1,
    };
    stats.push(("last_reload_success", last_reload));
    stats
}

/// Payload blocks and spill ranges that are not free, in all pools.
pub fn blocks_in_use(segment: &'static Segment) -> usize {
    let reactors = (0..segment.reactors()).map(|reactor| segment.reactor_pool(reactor).in_use());
    let outlets = (0..=segment.manager_outlet()).map(|outlet| segment.outlet_pool(outlet).in_use());
    reactors.chain(outlets).sum()
}

fn sum_reactors(segment: &Segment, field: impl Fn(&ReactorCounters) -> &AtomicU64) -> u64 {
    (0..segment.reactors()).map(|reactor| field(&segment.reactor(reactor).counters).load(Relaxed)).sum()
}

fn sum_seats(segment: &Segment, field: impl Fn(&SeatCounters) -> &AtomicU64) -> u64 {
    let seats = segment.slot_ids().flat_map(|worker| [segment.seat(worker, 0), segment.seat(worker, 1)]);
    seats.map(|seat| field(&seat.counters).load(Relaxed)).sum()
}
