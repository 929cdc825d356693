//! `broadcast()`: whom it is meant for, as PHP code says it.

use rotor_core::process::Addressees;

use super::Server;
use crate::call::attempt;
use crate::connections::Connections;
use crate::errors::refused;
use crate::zend::{self, Answer, Call, Fault, Value};

/// `broadcast(string $data, ?iterable $fds = null, int ...$except): int`
pub fn broadcast(call: &mut Call<'_>) -> Answer {
    match posted(call) {
        Ok(count) => Ok(Value::Int(count)),
        // Its result is a number, also where others give false.
        Err(Fault::Warning(message)) => {
            call.warn(message);
            Ok(Value::Int(0))
        }
        Err(Fault::Failed) => Ok(Value::Int(0)),
        Err(fault) => Err(fault),
    }
}

fn posted(call: &mut Call<'_>) -> Result<i64, Fault> {
    let data = call.bytes(0)?.unwrap_or_default();
    call.this::<Server>()?.running.process()?;
    let all = whose(call);
    let (mut listed, mut except, mut collected) = (Vec::new(), Vec::new(), Ok(()));
    attempt(|| {
        collected = collect(call, &mut except, all.is_none().then_some(&mut listed));
    })?;
    collected?;
    // Again: an iterator may have forked, and this may be the child.
    let process = call.this::<Server>()?.running.process()?;
    let to = all.map_or(Addressees::Listed(&listed), Addressees::All);
    let posted = process.broadcast(data, to, &except).map_err(refused)?;
    Ok(i64::try_from(posted).unwrap_or(i64::MAX))
}

/// Whether all connections are meant, or all of a port: nobody needs to walk over those. `None`: they are listed.
fn whose(call: &Call<'_>) -> Option<Option<usize>> {
    let fds = call.any(FDS).map(ext_php_rs::types::Zval::dereference).filter(|fds| !fds.is_null());
    let Some(fds) = fds else { return Some(None) };
    let connections = zend::native::<Connections>(fds, &crate::connections::CLASS)?;
    call.this::<Server>().is_ok_and(|server| connections.is_of(&server.running)).then(|| connections.port())
}

/// Collects what is excepted, and what is listed. PHP code may run meanwhile.
fn collect(call: &Call<'_>, except: &mut Vec<i64>, listed: Option<&mut Vec<i64>>) -> Result<(), Fault> {
    for index in FDS + 1..call.count() {
        except.extend(call.int(index)?);
    }
    listed.map_or(Ok(()), |listed| list(call, listed))
}

fn list(call: &Call<'_>, listed: &mut Vec<i64>) -> Result<(), Fault> {
    let walked = call.any(FDS).and_then(|fds| {
        zend::for_each(fds.dereference(), &mut |element| {
            let text = || std::str::from_utf8(element.zend_str()?.as_bytes()).ok()?.trim().parse().ok();
            let Some(session) = element.long().or_else(text) else {
                return Err(call.wrong_argument(FDS, c"must contain session ids alone, %s given", element));
            };
            listed.push(session);
            Ok(())
        })
    });
    walked
        .unwrap_or_else(|| Err(call.wrong_type(FDS, ext_php_rs::ffi::_zend_expected_type_Z_EXPECTED_ITERABLE_OR_NULL)))
}

const FDS: u32 = 1;
