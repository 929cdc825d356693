//! Registers classes as C extensions do.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use ext_php_rs::error::{Error, Result};
use ext_php_rs::ffi;
use ext_php_rs::types::{ZendStr, Zval};

use super::object::{self, Native};
use super::{Functions, Type, api};

/// Where a class is found once it has been registered.
pub struct ClassRef(AtomicPtr<ffi::zend_class_entry>);

impl ClassRef {
    /// Not registered yet.
    pub const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// The class; null before module startup.
    pub fn get(&self) -> *mut ffi::zend_class_entry {
        self.0.load(Ordering::Relaxed)
    }
}

/// A class constant.
pub type Constant = (&'static str, i64);

/// A public property and its default.
pub type Property = (&'static str, PropertyDefault);

/// A public property of a type, which its default is of.
pub type TypedProperty = (&'static str, Type, PropertyDefault);

/// The default of a declared property.
#[derive(Clone, Copy)]
pub enum PropertyDefault {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'static str),
}

/// A class about to be registered.
#[must_use]
pub struct Class {
    name: &'static str,
    entry: ffi::zend_class_entry,
    parent: *mut ffi::zend_class_entry,
    create: Option<unsafe extern "C" fn(*mut ffi::zend_class_entry) -> *mut ffi::zend_object>,
    flags: u32,
    constants: &'static [Constant],
    properties: &'static [Property],
    typed: &'static [TypedProperty],
}

impl Class {
    /// A class without anything.
    pub fn new(name: &'static str) -> Self {
        // SAFETY: the engine's own way to begin a class: all zero is valid for it.
        let entry = unsafe { std::mem::zeroed() };
        Self {
            name,
            entry,
            parent: ptr::null_mut(),
            create: None,
            flags: 0,
            constants: &[],
            properties: &[],
            typed: &[],
        }
    }

    /// With these methods.
    pub fn methods<const N: usize>(mut self, methods: &'static Functions<N>) -> Self {
        self.entry.info.internal.builtin_functions = methods.as_ptr();
        self
    }

    /// Below another of our classes.
    pub fn extends(mut self, parent: &ClassRef) -> Self {
        self.parent = parent.get();
        self
    }

    /// Below PHP's RuntimeException.
    pub fn extends_runtime_exception(mut self) -> Self {
        // SAFETY: set by SPL, which is part of every PHP and starts before loaded extensions.
        self.parent = unsafe { api::spl_ce_RuntimeException };
        self
    }

    /// With a Rust side; its objects cannot be serialized or cloned.
    pub fn native<T: Native>(mut self) -> Self {
        self.create = Some(object::create::<T>);
        self.flags |= ffi::ZEND_ACC_NOT_SERIALIZABLE;
        self
    }

    /// Scripts may invent properties, without the deprecation notice of PHP 8.2 and later.
    pub fn dynamic_properties(mut self) -> Self {
        if cfg!(php82) {
            self.flags |= ALLOW_DYNAMIC_PROPERTIES;
        }
        self
    }

    /// Nothing is below it.
    pub fn sealed(mut self) -> Self {
        self.flags |= ffi::ZEND_ACC_FINAL;
        self
    }

    /// With these constants.
    pub fn constants(mut self, constants: &'static [Constant]) -> Self {
        self.constants = constants;
        self
    }

    /// With these public properties.
    pub fn properties(mut self, properties: &'static [Property]) -> Self {
        self.properties = properties;
        self
    }

    /// With these public properties, in this order, as [`data_object`](super::data_object) fills them.
    pub fn typed_properties(mut self, properties: &'static [TypedProperty]) -> Self {
        self.typed = properties;
        self
    }

    /// Registers it. Module startup only.
    pub fn register(mut self, place: &ClassRef) -> Result<RegisteredClass> {
        self.entry.name = ZendStr::new_interned(self.name, true).into_raw();
        // SAFETY: module startup; the engine copies the entry and reads the method table now.
        let class = unsafe { ffi::zend_register_internal_class_ex(&raw mut self.entry, self.parent) };
        if class.is_null() {
            return Err(Error::InvalidPointer);
        }
        // SAFETY: just registered; nothing has used the class yet.
        unsafe {
            (*class).ce_flags |= self.flags;
            if let Some(create) = self.create {
                (*class).__bindgen_anon_2.create_object = Some(create);
            }
        }
        for (name, value) in self.constants {
            // SAFETY: the engine copies the name.
            unsafe { api::zend_declare_class_constant_long(class, name.as_ptr().cast(), name.len(), *value) };
        }
        for (name, default) in self.properties {
            declare(class, name, *default);
        }
        for (name, typ, default) in self.typed {
            declare_typed(class, name, *typ, *default);
        }
        place.0.store(class, Ordering::Relaxed);
        Ok(RegisteredClass(class))
    }
}

/// A class that is registered and may be completed.
pub struct RegisteredClass(pub(super) *mut ffi::zend_class_entry);

impl RegisteredClass {
    /// Countable, iterable by foreach, and accessible like an array, by methods of the same names.
    pub fn like_an_array(self) -> Self {
        // SAFETY: module startup; the interfaces are the engine's and SPL's, registered before.
        unsafe {
            api::zend_class_implements(
                self.0,
                3,
                ffi::zend_ce_iterator,
                ffi::zend_ce_countable,
                ffi::zend_ce_arrayaccess,
            );
        }
        self
    }
}

impl ClassRef {
    /// Gives the class a second name. Module startup only; false when the name is taken.
    pub fn alias(&self, name: &'static str) -> bool {
        // SAFETY: module startup; the engine copies the name and keeps the alias as long as the class.
        let done = unsafe { api::zend_register_class_alias_ex(name.as_ptr().cast(), name.len(), self.get(), true) };
        done == ffi::ZEND_RESULT_CODE_SUCCESS
    }
}

/// Internal classes have defaults that nobody counts references to: plain values and interned strings.
fn declare_typed(class: *mut ffi::zend_class_entry, name: &'static str, typ: Type, default: PropertyDefault) {
    let mut zval = Zval::new();
    match default {
        PropertyDefault::Null => zval.set_null(),
        PropertyDefault::Bool(flag) => zval.set_bool(flag),
        PropertyDefault::Int(number) => zval.set_long(number),
        PropertyDefault::Float(number) => zval.set_double(number),
        PropertyDefault::Text(text) => zval.set_interned_string(text, true).unwrap_or_default(),
    }
    let access = ffi::ZEND_ACC_PUBLIC.cast_signed();
    let name = ZendStr::new_interned(name, true).into_raw();
    // SAFETY: module startup; the name lives as long as the process, the engine copies the value.
    unsafe { api::zend_declare_typed_property(class, name, &raw mut zval, access, ptr::null_mut(), typ.zend()) };
    std::mem::forget(zval);
}

fn declare(class: *mut ffi::zend_class_entry, name: &'static str, default: PropertyDefault) {
    const ACCESS: std::ffi::c_int = ffi::ZEND_ACC_PUBLIC.cast_signed();
    let (start, len) = (name.as_ptr().cast(), name.len());
    // SAFETY: module startup; the engine copies name and value.
    unsafe {
        match default {
            PropertyDefault::Null => api::zend_declare_property_null(class, start, len, ACCESS),
            PropertyDefault::Bool(flag) => api::zend_declare_property_bool(class, start, len, flag.into(), ACCESS),
            PropertyDefault::Int(number) => api::zend_declare_property_long(class, start, len, number, ACCESS),
            PropertyDefault::Float(number) => api::zend_declare_property_double(class, start, len, number, ACCESS),
            PropertyDefault::Text(text) => {
                api::zend_declare_property_stringl(class, start, len, text.as_ptr().cast(), text.len(), ACCESS);
            }
        }
    }
}

/// `ZEND_ACC_ALLOW_DYNAMIC_PROPERTIES`, which ext-php-rs does not bind.
const ALLOW_DYNAMIC_PROPERTIES: u32 = 1 << 15;
