//! The numbers of `Rotor\Server`, which are the peer's, and its public properties.

use rotor_core::hooks::{CLOSE, DISCARD, FALL_BACK};

use crate::zend::{Constant, Property, PropertyDefault};

/// The class constants.
pub const CONSTANTS: &[Constant] = &[
    ("MODE_BASE", MODE_BASE),
    ("MODE_PROCESS", MODE_PROCESS),
    ("SOCK_TCP", SOCK_TCP),
    ("SOCK_UDP", 2),
    ("SOCK_TCP6", SOCK_TCP6),
    ("SOCK_UDP6", 4),
    ("SOCK_UNIX_STREAM", 5),
    ("SOCK_UNIX_DGRAM", 6),
    ("SSL", SSL),
    ("SSL_TLSv1_2", 32),
    ("SSL_TLSv1_3", 64),
    ("DISPATCH_ROUND", 1),
    ("DISPATCH_FDMOD", 2),
    ("DISPATCH_IDLE_WORKER", 3),
    ("DISPATCH_IPMOD", 4),
    ("DISPATCH_UIDMOD", 5),
    ("DISPATCH_USERFUNC", 6),
    ("DISPATCH_STREAM", 7),
    ("DISPATCH_CO_CONN_LB", 8),
    ("DISPATCH_CO_REQ_LB", 9),
    ("DISPATCH_CONCURRENT_LB", 10),
    ("DISPATCH_RESULT_DISCARD_PACKET", DISCARD),
    ("DISPATCH_RESULT_CLOSE_CONNECTION", CLOSE),
    ("DISPATCH_RESULT_USERFUNC_FALLBACK", FALL_BACK),
    ("WORKER_BUSY", WORKER_BUSY),
    ("WORKER_IDLE", WORKER_IDLE),
    ("WORKER_EXIT", WORKER_EXIT),
    ("LOG_DEBUG", 0),
    ("LOG_TRACE", 1),
    ("LOG_INFO", 2),
    ("LOG_NOTICE", 3),
    ("LOG_WARNING", 4),
    ("LOG_ERROR", 5),
    ("LOG_NONE", 6),
    ("LOG_ROTATION_SINGLE", 0),
    ("LOG_ROTATION_MONTHLY", 1),
    ("LOG_ROTATION_DAILY", 2),
    ("LOG_ROTATION_HOURLY", 3),
    ("LOG_ROTATION_EVERY_MINUTE", 4),
];

/// The public properties. Each process has its own copy; what is set in one is not seen by the others.
pub const PROPERTIES: &[Property] = &[
    ("setting", PropertyDefault::Null),
    ("connections", PropertyDefault::Null),
    ("host", PropertyDefault::Text("")),
    ("port", PropertyDefault::Int(0)),
    ("type", PropertyDefault::Int(0)),
    ("ssl", PropertyDefault::Bool(false)),
    ("mode", PropertyDefault::Int(0)),
    ("ports", PropertyDefault::Null),
    ("master_pid", PropertyDefault::Int(0)),
    ("manager_pid", PropertyDefault::Int(0)),
    ("worker_id", PropertyDefault::Int(-1)),
    ("taskworker", PropertyDefault::Bool(false)),
    ("worker_pid", PropertyDefault::Int(0)),
];

pub const MODE_BASE: i64 = 1;
pub const MODE_PROCESS: i64 = 2;
pub const SOCK_TCP: i64 = 1;
pub const SOCK_TCP6: i64 = 3;
/// A flag beside the type of socket.
pub const SSL: i64 = 512;
pub const WORKER_BUSY: i64 = 1;
pub const WORKER_IDLE: i64 = 2;
pub const WORKER_EXIT: i64 = 3;
