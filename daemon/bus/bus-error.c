#include "daemon/bus/bus-error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/text.h"
#include "daemon/bus/bus-message.h"

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

const char *bus_storage_advice(int error) {
    switch (error) {
    case -ENOSPC:
    case -EDQUOT:
        return "Make room on the file system of the state folder";
    case -EROFS:
        return "Make the file system of the state folder writable";
    case -ENOMEM:
        return "Wait for some tasks to end";
    default:
        return "Look into the journal of longrund (journalctl --user -u longrund)";
    }
}

int bus_error_storage(sd_bus_error *ret, int error, const char *what) {
    return sd_bus_error_setf(ret, BUS_ERROR_STORAGE, "%s: %s. %s, then try again", what,
                             strerror(-error), bus_storage_advice(error));
}

void bus_reply_error(sd_bus_message *call, int r, const sd_bus_error *error) {
    int k = sd_bus_error_is_set(error) ? sd_bus_reply_method_error(call, error)
                                       : sd_bus_reply_method_errno(call, r, NULL);

    if (k < 0 && !bus_is_gone(k))
        log_warning_errno(k, "Cannot reply to a call, ignoring");
}
