#pragma once

#include "common/macro.h"

/* Where a task's progress comes from, the worse one first: of two that both speak, the better one
 * is believed. */
typedef enum ProgressSource {
    PROGRESS_SOURCE_NONE,
    PROGRESS_SOURCE_PERCENT, /* a percentage in a line of its output */
    PROGRESS_SOURCE_COUNTER, /* "[n/m]", "n/m", "n of m" in such a line */
    PROGRESS_SOURCE_OSC,     /* the terminal sequence OSC 9;4 (ConEmu, Windows Terminal, systemd) */
    PROGRESS_SOURCE_NOTIFY,  /* sd_notify(3), or a built-in kind itself */
    _PROGRESS_SOURCE_MAX,
} ProgressSource;

/* "", "percent", "counter", "osc", "notify"; of what is unknown NONE. */
const char *progress_source_to_string(ProgressSource source);
ProgressSource progress_source_from_string(const char *s);
