//! The PHP extension `rotor`: its module entry. What it does is in `rotor-core`; this crate is the only one
//! that knows PHP.

mod aliases;
mod call;
mod callbacks;
mod client_info;
mod code;
mod codes;
mod connections;
mod errors;
mod event_object;
mod functions;
mod host;
mod info;
mod port;
mod process;
mod process_title;
mod running;
mod sender;
mod server;
mod settings;
mod sockets;
mod stranger;
mod time;
mod zend;

use std::ffi::c_int;

use ext_php_rs::builders::ModuleBuilder;
use ext_php_rs::error::{Result, php_error};
use ext_php_rs::ffi::{ZEND_RESULT_CODE_FAILURE as FAILURE, ZEND_RESULT_CODE_SUCCESS as SUCCESS};
use ext_php_rs::flags::{ErrorType, IniEntryPermission};
use ext_php_rs::internal::startup_guard;
use ext_php_rs::zend::{IniEntryDef, IniEntryDefs, ModuleEntry, StaticModuleEntry};

use crate::connections::Connections;
use crate::errors::{EXCEPTION, SETTING_EXCEPTION};
use crate::process::UserProcess;
use crate::server::Server;
use crate::zend::Class;

/// What PHP asks a loaded library for.
#[unsafe(no_mangle)]
pub extern "C" fn get_module() -> *mut ModuleEntry {
    static ENTRY: StaticModuleEntry = StaticModuleEntry::new();
    ENTRY.get_or_init(|| {
        let builder = ModuleBuilder::new("rotor", env!("CARGO_PKG_VERSION"))
            .startup_function(startup)
            .request_shutdown_function(request_shutdown)
            .shutdown_function(shutdown)
            .info_function(info::show);
        // Fails for a name or version with a NUL only, and both are constants.
        let (entry, _, allocations) = builder.try_into().expect("the module's entry");
        (entry, allocations)
    })
}

static INI: IniEntryDefs<2> =
    IniEntryDefs::new([IniEntryDef::new(SWOOLE_ALIASES, c"0", IniEntryPermission::System), IniEntryDef::end()]);

/// The setting of php.ini.
const SWOOLE_ALIASES: &std::ffi::CStr = c"rotor.swoole_aliases";

unsafe extern "C" fn startup(_type: c_int, module: c_int) -> c_int {
    let mut refused = None;
    let done = startup_guard(|| {
        IniEntryDef::register(INI.as_slice(), module);
        register_classes()?;
        zend::at_safe_points(at_safe_point);
        if zend::ini_flag(SWOOLE_ALIASES) {
            refused = aliases::register().err();
        }
        Ok(())
    });
    match refused {
        None => done,
        Some(why) => {
            php_error(&ErrorType::CoreWarning, &format!("rotor.swoole_aliases=1 is not possible: {why}"));
            FAILURE
        }
    }
}

fn at_safe_point() {
    rotor_core::self_look::at_safe_point();
    process::run_signal_handlers();
}

unsafe extern "C" fn shutdown(_type: c_int, module: c_int) -> c_int {
    zend::unregister_ini_entries(module);
    SUCCESS
}

/// The end of the script.
unsafe extern "C" fn request_shutdown(_type: c_int, _module: c_int) -> c_int {
    process::forget_signal_handlers();
    SUCCESS
}

fn register_classes() -> Result<()> {
    Class::new("Rotor\\Exception").extends_runtime_exception().register(&EXCEPTION)?;
    Class::new("Rotor\\SettingException").extends(&EXCEPTION).register(&SETTING_EXCEPTION)?;
    Class::new("Rotor\\Error")
        .methods(&codes::METHODS)
        .sealed()
        .constants(&codes::CONSTANTS)
        .register(&codes::CLASS)?;
    Class::new("Rotor\\Server")
        .methods(&server::METHODS)
        .native::<Server>()
        .dynamic_properties()
        .constants(server::CONSTANTS)
        .properties(server::PROPERTIES)
        .register(&server::CLASS)?;
    Class::new("Rotor\\Server\\Port")
        .methods(&port::METHODS)
        .native::<port::PortObject>()
        .properties(port::PROPERTIES)
        .register(&port::CLASS)?;
    for (name, properties, class) in [
        ("Rotor\\Server\\Event", event_object::EVENT_PROPERTIES, &event_object::EVENT),
        ("Rotor\\Server\\Packet", event_object::PACKET_PROPERTIES, &event_object::PACKET),
        ("Rotor\\Server\\StatusInfo", event_object::STATUS_INFO_PROPERTIES, &event_object::STATUS_INFO),
    ] {
        Class::new(name).typed_properties(properties).register(class)?;
    }
    Class::new("Rotor\\Process")
        .methods(&process::METHODS)
        .native::<UserProcess>()
        .dynamic_properties()
        .constants(process::CONSTANTS)
        .properties(process::PROPERTIES)
        .register(&process::CLASS)?;
    Class::new("Rotor\\Connection\\Iterator")
        .methods(&connections::METHODS)
        .native::<Connections>()
        .register(&connections::CLASS)?
        .like_an_array()
        .walked_by::<connections::Loop>();
    Ok(())
}
