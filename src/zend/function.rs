//! Tables of functions and methods, as C extensions have them: all constant, so that the engine may keep
//! pointers into them for as long as it likes.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use ext_php_rs::ffi;

/// A PHP type of a signature; several are combined by [`Type::or`].
#[derive(Clone, Copy)]
pub struct Type {
    mask: u32,
    class: Option<&'static CStr>,
}

impl Type {
    /// No type is declared.
    pub const NONE: Self = Self::mask(0);
    pub const NULL: Self = Self::mask(1 << ffi::IS_NULL);
    pub const FALSE: Self = Self::mask(1 << ffi::IS_FALSE);
    pub const BOOL: Self = Self::mask(1 << ffi::IS_FALSE | 1 << ffi::IS_TRUE);
    pub const INT: Self = Self::mask(1 << ffi::IS_LONG);
    pub const FLOAT: Self = Self::mask(1 << ffi::IS_DOUBLE);
    pub const STRING: Self = Self::mask(1 << ffi::IS_STRING);
    pub const ARRAY: Self = Self::mask(1 << ffi::IS_ARRAY);
    pub const CALLABLE: Self = Self::mask(1 << ffi::IS_CALLABLE);
    pub const VOID: Self = Self::mask(1 << ffi::IS_VOID);
    pub const MIXED: Self = Self::mask(ffi::MAY_BE_ANY);
    /// The engine makes it of an array or a `Traversable` when it registers the function.
    pub const ITERABLE: Self = Self::mask(ffi::_ZEND_TYPE_ITERABLE_BIT);

    const fn mask(mask: u32) -> Self {
        Self { mask, class: None }
    }

    /// Objects of a class.
    pub const fn class(name: &'static CStr) -> Self {
        Self { mask: ffi::_ZEND_TYPE_NAME_BIT, class: Some(name) }
    }

    /// Of as many arguments as are given: the last parameter alone.
    pub const fn variadic(self) -> Self {
        Self { mask: self.mask | ffi::_ZEND_IS_VARIADIC_BIT, class: self.class }
    }

    /// This or the other; at most one of them may name a class.
    pub const fn or(self, other: Self) -> Self {
        let class = match (self.class, other.class) {
            (Some(_), Some(_)) => panic!("a union of two classes needs a type list"),
            (None, class) | (class, None) => class,
        };
        Self { mask: self.mask | other.mask, class }
    }

    pub(super) const fn zend(self) -> ffi::zend_type {
        let ptr = match self.class {
            Some(name) => name.as_ptr().cast::<c_void>().cast_mut(),
            None => ptr::null_mut(),
        };
        ffi::zend_type { ptr, type_mask: self.mask }
    }
}

/// A parameter: name, type, and the PHP expression of its default when it may be left out.
#[derive(Clone, Copy)]
pub struct Param(pub &'static CStr, pub Type, pub Option<&'static CStr>);

/// The engine's description of `N` parameters and the result, in the layout that it walks.
#[repr(C)]
pub struct Signature<const N: usize> {
    result: ffi::zend_internal_arg_info,
    params: [ffi::zend_internal_arg_info; N],
}

// SAFETY: its pointers are to constants, and the engine reads it only.
unsafe impl<const N: usize> Sync for Signature<N> {}

impl<const N: usize> Signature<N> {
    /// Describes a function; parameters with a default come last.
    pub const fn new(result: Type, params: [Param; N]) -> Self {
        let mut required = 0;
        let mut described =
            [ffi::zend_internal_arg_info { name: ptr::null(), type_: Type::NONE.zend(), default_value: ptr::null() };
                N];
        let mut index = 0;
        while index < N {
            let Param(name, ty, default) = params[index];
            described[index].name = name.as_ptr();
            described[index].type_ = ty.zend();
            match default {
                Some(expression) => described[index].default_value = expression.as_ptr(),
                None if ty.mask & ffi::_ZEND_IS_VARIADIC_BIT != 0 => {
                    assert!(index + 1 == N, "a parameter follows a variadic one");
                }
                None => {
                    assert!(required == index, "a parameter without a default follows one with a default");
                    required += 1;
                }
            }
            index += 1;
        }
        // The entry for the result carries the number of required parameters where a name would be.
        let result = ffi::zend_internal_arg_info {
            name: ptr::without_provenance::<c_char>(required),
            type_: result.zend(),
            default_value: ptr::null(),
        };
        Self { result, params: described }
    }

    /// What the function's entry points to.
    pub const fn as_ptr(&self) -> *const ffi::zend_internal_arg_info {
        // From the whole, not from the first field: the engine goes on to the parameters.
        ptr::from_ref(self).cast()
    }
}

/// A table of `N - 1` functions and the end mark.
#[repr(transparent)]
pub struct Functions<const N: usize>([ffi::zend_function_entry; N]);

// SAFETY: its pointers are to constants, and the engine reads it only.
unsafe impl<const N: usize> Sync for Functions<N> {}

impl<const N: usize> Functions<N> {
    /// Wraps entries, the last of which is [`END`].
    pub const fn new(entries: [ffi::zend_function_entry; N]) -> Self {
        assert!(entries[N - 1].fname.is_null(), "a table of functions ends with END");
        Self(entries)
    }

    /// The table as the engine takes it.
    pub const fn as_ptr(&'static self) -> *const ffi::zend_function_entry {
        self.0.as_ptr()
    }
}

/// One entry of a table.
#[expect(clippy::cast_possible_truncation, reason = "nobody writes four billion parameters")]
pub const fn function<const N: usize>(
    flags: u32,
    name: &'static CStr,
    handler: ffi::zif_handler,
    signature: &'static Signature<N>,
) -> ffi::zend_function_entry {
    ffi::zend_function_entry {
        fname: name.as_ptr(),
        handler,
        arg_info: signature.as_ptr(),
        num_args: N as u32,
        flags,
        #[cfg(php84)]
        frameless_function_infos: ptr::null(),
        #[cfg(php84)]
        doc_comment: ptr::null(),
    }
}

/// The mark at the end of a table.
pub const END: ffi::zend_function_entry = ffi::zend_function_entry {
    fname: ptr::null(),
    handler: None,
    arg_info: ptr::null(),
    num_args: 0,
    flags: 0,
    #[cfg(php84)]
    frameless_function_infos: ptr::null(),
    #[cfg(php84)]
    doc_comment: ptr::null(),
};

/// A literal as a C string.
pub const fn c_literal(with_nul: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(with_nul.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a NUL inside a literal"),
    }
}

/// Declares a table of functions:
///
/// ```ignore
/// functions! { static METHODS = [
///     public "send" (("fd", INT.or(STRING)), ("data", STRING), ("serverSocket", INT, "-1")): BOOL => send;
/// ] }
/// ```
macro_rules! functions {
    ($(#[$meta:meta])* $vis:vis static $table:ident = [
        $( $access:ident $name:literal ( $( ($param:literal, $type:expr $(, $default:literal)?) ),* ) $(: $result:expr)? => $handler:path; )*
    ]) => {
        $(#[$meta])*
        $vis static $table: $crate::zend::Functions<{ <[&str]>::len(&[$($name),*]) + 1 }> =
            $crate::zend::Functions::new([
                $( {
                    static SIGNATURE: $crate::zend::Signature<{ <[&str]>::len(&[$($param),*]) }> =
                        $crate::zend::Signature::new(
                            $crate::zend::functions!(@result $($result)?),
                            [ $( $crate::zend::Param(
                                $crate::zend::c_literal(concat!($param, "\0")),
                                $type,
                                $crate::zend::functions!(@default $($default)?),
                            ) ),* ],
                        );
                    $crate::zend::function(
                        $crate::zend::functions!(@access $access),
                        $crate::zend::c_literal(concat!($name, "\0")),
                        $crate::zend::handler($handler),
                        &SIGNATURE,
                    )
                }, )*
                $crate::zend::END,
            ]);
    };
    (@access public) => { ext_php_rs::ffi::ZEND_ACC_PUBLIC };
    (@access public_static) => { ext_php_rs::ffi::ZEND_ACC_PUBLIC | ext_php_rs::ffi::ZEND_ACC_STATIC };
    (@access private) => { ext_php_rs::ffi::ZEND_ACC_PRIVATE };
    (@access function) => { 0 };
    (@result) => { $crate::zend::Type::NONE };
    (@result $result:expr) => { $result };
    (@default) => { None };
    (@default $default:literal) => { Some($crate::zend::c_literal(concat!($default, "\0"))) };
}
pub(crate) use functions;
