//! What Rotor is measured against, and how: the raw epoll echo and the bench driver share this library.
