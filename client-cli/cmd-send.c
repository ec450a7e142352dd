#include <inttypes.h>
#include <stdio.h>

#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"
#include "client-cli/words.h"

/* longrun send */

const Option send_options[] = {
    {OPT_CHILDREN, 'c', "children", NULL, "to its active children instead of to itself"},
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

/* *ret_sent: how many have got it. */
static int send_message(sd_bus *bus, uint64_t id, bool children, const char *text,
                        uint32_t *ret_sent) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r = client_new_task_call(bus, id, children ? "SendToChildren" : "Send", &call);

    if (r < 0)
        return r;
    r = sd_bus_message_append_basic(call, 's', text);
    if (r < 0)
        return client_report(NULL, r);
    *ret_sent = 1;
    return children ? client_send_for_number(bus, call, ret_sent) : client_send(bus, call, 0, NULL);
}

int cmd_send(const Invocation *inv) {
    bool children = invocation_has(inv, OPT_CHILDREN);
    _cleanup_free_ char *text = words_join(inv->args + 1, inv->n_args - 1);
    _cleanup_bus_ sd_bus *bus = NULL;
    uint32_t sent = 0;
    uint64_t id;
    int r;

    r = parse_id(inv->command, inv->args[0], &id);
    if (r == 0)
        r = text_check("the message", text);
    if (r == 0)
        r = client_connect(&bus);
    if (r == 0)
        r = send_message(bus, id, children, text, &sent);
    if (r != 0)
        return r;
    if (invocation_has(inv, OPT_JSON))
        return json_print_number("sent", sent);
    if (children)
        printf("Sent to children of task %" PRIu64 ": %" PRIu32 "\n", id, sent);
    else
        printf("Sent to task %" PRIu64 "\n", id);
    return EXIT_SUCCESS;
}
