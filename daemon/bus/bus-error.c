#include "daemon/bus/bus-error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/text.h"

#define PREFIX "org.longrun.Longrun1.Error."
#define MESSAGE_MAX (8 * KIB)

int bus_error_from(sd_bus_error *ret, int r, const Error *e) {
    _cleanup_free_ char *text = NULL;
    char name[sizeof(PREFIX) + 32];

    if (r != -EREMOTE || e->code == ERROR_NONE)
        return r;
    snprintf(name, sizeof(name), PREFIX "%s", error_code_to_string(e->code));
    /* A quote in it may have been cut within a character: such a reply would never be sent. */
    if (e->message)
        text = text_clean(e->message, strlen(e->message), MESSAGE_MAX);
    return sd_bus_error_set(ret, name, text ?: "Out of memory");
}

int bus_error_no_such_task(sd_bus_error *ret, uint64_t id) {
    return sd_bus_error_setf(ret, PREFIX "NoSuchTask",
                             "There is no task %" PRIu64 ": it never was, or has been removed. "
                             "\"longrun list --all\" shows those that are there",
                             id);
}
