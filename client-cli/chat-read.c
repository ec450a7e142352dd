#include <stdio.h>

#include "client-cli/append.h"
#include "client-cli/chat.h"
#include "client-cli/client.h"
#include "client-cli/output.h"

#define LINES_MAX 1000 /* more the daemon does not give */

int chat_new_load(sd_bus *bus, const char *backend, const char *peer, uint32_t lines,
                  sd_bus_message **ret) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r = chat_new_call(bus, backend, "LoadMessages", &call);

    if (r == 0)
        r = chat_append(call, "the peer", peer);
    if (r == 0)
        r = append_open(call);
    if (r == 0 && lines > 0)
        r = append_u32(call, "limit", lines);
    if (r == 0)
        r = append_close(call);
    if (r == 0)
        *ret = TAKE_PTR(call);
    return r;
}

static int load(sd_bus *bus, const char *backend, const char *peer, uint32_t lines, cJSON **ret) {
    _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
    int r = chat_new_load(bus, backend, peer, lines, &call);

    if (r == 0)
        r = client_ask(bus, call, CLIENT_FOREVER, &reply);
    if (r != 0)
        return r;
    r = json_read_bus(reply, ret);
    return r < 0 ? client_report(NULL, r) : 0;
}

static void print_all(const cJSON *messages, bool as_json, bool in_lines) {
    const cJSON *message;

    if (as_json && !in_lines) {
        json_print(messages);
        return;
    }
    cJSON_ArrayForEach (message, messages)
        chat_print_message(message, as_json);
}

/* 0, or EXIT_USAGE. */
static int parse_lines(const Invocation *inv, uint32_t *ret) {
    int r = invocation_u32(inv, OPT_LINES, ret);

    if (r != 0 || !invocation_has(inv, OPT_LINES))
        return r;
    if (*ret > LINES_MAX)
        return usage_error(inv->command, "--lines: there are at most %u", LINES_MAX);
    if (*ret == 0 && !invocation_has(inv, OPT_FOLLOW))
        return usage_error(inv->command, "--lines 0 goes with --follow alone");
    return 0;
}

int chat_read(const Invocation *inv, sd_bus *bus) {
    const char *backend = inv->args[0], *peer = inv->args[2];
    bool as_json = invocation_has(inv, OPT_JSON), follow = invocation_has(inv, OPT_FOLLOW);
    _cleanup_json_ cJSON *messages = NULL;
    uint32_t lines = 0;
    int r;

    r = parse_lines(inv, &lines);
    if (r == 0)
        r = load(bus, backend, peer, lines, &messages);
    if (r != 0)
        return r;
    if (lines > 0 || !invocation_has(inv, OPT_LINES))
        print_all(messages, as_json, follow);
    return follow ? chat_follow(bus, backend, peer, messages, as_json) : EXIT_SUCCESS;
}
