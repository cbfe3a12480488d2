/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_INSTRUMENTED_H
#define SUPPORT_INSTRUMENTED_H

/* Which sanitizer the tests are built with: gcc says so by a macro, clang by a feature. */

#ifdef __has_feature
#define INSTRUMENTED_FOR(feature) __has_feature(feature)
#else
#define INSTRUMENTED_FOR(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || INSTRUMENTED_FOR(address_sanitizer)
#define WITH_ADDRESS_SANITIZER 1
#else
#define WITH_ADDRESS_SANITIZER 0
#endif

#if defined(__SANITIZE_THREAD__) || INSTRUMENTED_FOR(thread_sanitizer)
#define WITH_THREAD_SANITIZER 1
#else
#define WITH_THREAD_SANITIZER 0
#endif

#endif
