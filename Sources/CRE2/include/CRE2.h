#ifndef APUS_CRE2_H
#define APUS_CRE2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A compiled RE2 expression. Every call on it is thread-safe.
typedef struct apus_re2 apus_re2;

// Options of apus_re2_compile: match `.` against a newline, ignore case, and do not capture.
enum { APUS_RE2_DOT_NEWLINE = 1, APUS_RE2_IGNORE_CASE = 2, APUS_RE2_NO_CAPTURE = 4, APUS_RE2_LONGEST_MATCH = 8 };

// Compiles `pattern`. On failure the result is NULL and up to `errorCapacity` bytes of message (with its NUL) lie in `error`.
apus_re2 *apus_re2_compile(const char *pattern, size_t patternByteCount, int options, int64_t memoryByteCountMax,
                           char *error, size_t errorCapacity);
void apus_re2_free(apus_re2 *expression);

// How many groups it captures, without the whole match.
int apus_re2_group_count(const apus_re2 *expression);
// The name of group `index` (from 1), or NULL if it has none. Valid as long as the expression.
const char *apus_re2_group_name(const apus_re2 *expression, int index);

// Whether `text` matches anywhere (anchored == 0) or as a whole (anchored == 1).
bool apus_re2_matches(const apus_re2 *expression, const char *text, size_t textByteCount, int anchored);

// The range in byte order that a text must lie in to match as a whole: `capacity` bytes at most go to `lower` and to `upper`. Returns false
// where nothing is known.
bool apus_re2_bounds(const apus_re2 *expression, char *lower, size_t *lowerByteCount, char *upper, size_t *upperByteCount, size_t capacity);

// Finds the first match in text[start...]. `ranges` receives 2 * rangeCount offsets: begin and end of the whole match, then of each group;
// -1 for a group that took no part. Returns whether there is a match.
bool apus_re2_find(const apus_re2 *expression, const char *text, size_t textByteCount, size_t start, int anchored,
                   int64_t *ranges, int rangeCount);

#ifdef __cplusplus
}
#endif
#endif
