#include "CRE2.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <vector>

struct apus_re2 {
    re2::RE2 expression;
    std::vector<std::string> groupNames;  // index 0 is group 1; empty = unnamed

    apus_re2(const re2::StringPiece &pattern, const re2::RE2::Options &options) : expression(pattern, options) {
        if (!expression.ok()) return;
        groupNames.resize(expression.NumberOfCapturingGroups());
        for (const auto &entry : expression.CapturingGroupNames()) groupNames[entry.first - 1] = entry.second;
    }
};

static re2::RE2::Anchor anchor(int anchored) { return anchored ? re2::RE2::ANCHOR_BOTH : re2::RE2::UNANCHORED; }

apus_re2 *apus_re2_compile(const char *pattern, size_t patternByteCount, int options, int64_t memoryByteCountMax,
                           char *error, size_t errorCapacity) {
    re2::RE2::Options settings;
    settings.set_log_errors(false);
    settings.set_dot_nl(options & APUS_RE2_DOT_NEWLINE);
    settings.set_case_sensitive(!(options & APUS_RE2_IGNORE_CASE));
    settings.set_never_capture(options & APUS_RE2_NO_CAPTURE);
    settings.set_longest_match(options & APUS_RE2_LONGEST_MATCH);
    if (memoryByteCountMax > 0) settings.set_max_mem(memoryByteCountMax);
    auto *compiled = new (std::nothrow) apus_re2(re2::StringPiece(pattern, patternByteCount), settings);
    if (compiled && compiled->expression.ok()) return compiled;
    if (errorCapacity > 0) {
        const std::string message = compiled ? compiled->expression.error() : "out of memory";
        const size_t count = std::min(message.size(), errorCapacity - 1);
        memcpy(error, message.data(), count);
        error[count] = 0;
    }
    delete compiled;
    return nullptr;
}

void apus_re2_free(apus_re2 *expression) { delete expression; }

int apus_re2_group_count(const apus_re2 *expression) { return expression->expression.NumberOfCapturingGroups(); }

const char *apus_re2_group_name(const apus_re2 *expression, int index) {
    if (index < 1 || static_cast<size_t>(index) > expression->groupNames.size()) return nullptr;
    const std::string &name = expression->groupNames[index - 1];
    return name.empty() ? nullptr : name.c_str();
}

bool apus_re2_matches(const apus_re2 *expression, const char *text, size_t textByteCount, int anchored) {
    return expression->expression.Match(re2::StringPiece(text, textByteCount), 0, textByteCount, anchor(anchored), nullptr, 0);
}

bool apus_re2_bounds(const apus_re2 *expression, char *lower, size_t *lowerByteCount, char *upper, size_t *upperByteCount, size_t capacity) {
    std::string low, high;
    if (!expression->expression.PossibleMatchRange(&low, &high, static_cast<int>(capacity))) return false;
    if (low.size() > capacity || high.size() > capacity) return false;
    memcpy(lower, low.data(), low.size());
    memcpy(upper, high.data(), high.size());
    *lowerByteCount = low.size();
    *upperByteCount = high.size();
    return true;
}

bool apus_re2_find(const apus_re2 *expression, const char *text, size_t textByteCount, size_t start, int anchored,
                   int64_t *ranges, int rangeCount) {
    std::vector<re2::StringPiece> groups(rangeCount);
    if (start > textByteCount) return false;
    if (!expression->expression.Match(re2::StringPiece(text, textByteCount), start, textByteCount, anchor(anchored), groups.data(), rangeCount))
        return false;
    for (int index = 0; index < rangeCount; index++) {
        const re2::StringPiece &group = groups[index];
        const bool taken = group.data() != nullptr;
        ranges[2 * index] = taken ? group.data() - text : -1;
        ranges[2 * index + 1] = taken ? group.data() - text + static_cast<int64_t>(group.size()) : -1;
    }
    return true;
}
