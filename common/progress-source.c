#include "common/progress-source.h"

static const char *const names[_PROGRESS_SOURCE_MAX] = {
    [PROGRESS_SOURCE_NONE] = "",           [PROGRESS_SOURCE_PERCENT] = "percent",
    [PROGRESS_SOURCE_COUNTER] = "counter", [PROGRESS_SOURCE_OSC] = "osc",
    [PROGRESS_SOURCE_NOTIFY] = "notify",
};

const char *progress_source_to_string(ProgressSource source) {
    return names[source];
}

ProgressSource progress_source_from_string(const char *s) {
    for (size_t i = 1; i < ELEMENTSOF(names); i++)
        if (streq(names[i], s))
            return (ProgressSource)i;
    return PROGRESS_SOURCE_NONE;
}
