#include "daemon/shim/progress-line.h"

#include "daemon/shim/progress-count.h"
#include "daemon/shim/progress-forms.h"
#include "daemon/shim/progress-meters.h"

bool progress_line_read(ProgressLines *l, LogStream stream, const char *line, size_t size,
                        ProgressReading *ret) {
    const char *end = line + size;

    while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (progress_meters_read(l, stream, line, end, ret))
        return true;
    switch (progress_forms_read(line, end, ret)) {
    case PROGRESS_FORM_READ:
        return true;
    case PROGRESS_FORM_OTHER:
        return false;
    case PROGRESS_FORM_NONE:
        break;
    }
    return progress_count_read(line, end, ret);
}
