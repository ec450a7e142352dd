#include "daemon/core/log-line.h"

#include "common/cleanup.h"

void log_lines_done(LogLines *l) {
    for (size_t i = 0; i < l->count; i++)
        free(l->lines[i].text);
    free(l->lines);
    *l = (LogLines){};
}
