/*
 * SANITIZED: 1 in a build for AddressSanitizer or ThreadSanitizer, which is
 * several times slower and larger; 0 otherwise.
 */
#ifndef LIB_SANITIZED_H
#define LIB_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#endif
