#include "daemon/bus/bus-send.h"

#include <errno.h>
#include <inttypes.h>

#include "common/message-queue.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-task.h"

static int read_text(sd_bus_message *m, const char **ret, Error *error) {
    const char *text;
    int r = sd_bus_message_read_basic(m, 's', &text);

    if (r < 0)
        return r;
    r = message_check(text);
    if (r == -EINVAL)
        return error_set(error, ERROR_INVALID_OPTION,
                         "A message is one line: send each line in a message of its own");
    if (r == -EMSGSIZE)
        return error_set(error, ERROR_INVALID_OPTION,
                         "A message has at most %" PRIu64 " bytes: this one has %zu", MESSAGE_MAX,
                         strlen(text));
    *ret = text;
    return r;
}

int bus_method_send(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    const char *text;
    int r = read_text(m, &text, &error);

    if (r >= 0)
        r = b->api->send(b->api_userdata, bus_task_of_call(b, m), text, &error);
    return r < 0 ? bus_error_from(ret_error, r, &error) : sd_bus_reply_method_return(m, NULL);
}

int bus_method_send_to_children(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    const char *text;
    uint32_t sent;
    int r = read_text(m, &text, &error);

    if (r >= 0)
        r = b->api->send_to_children(b->api_userdata, bus_task_of_call(b, m), text, &sent, &error);
    return r < 0 ? bus_error_from(ret_error, r, &error) : sd_bus_reply_method_return(m, "u", sent);
}
