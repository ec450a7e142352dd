#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "client-cli/chat.h"
#include "client-cli/client.h"
#include "client-cli/output.h"
#include "client-cli/words.h"
#include "common/text.h"

#define LINE_MAX_BYTES ((size_t)(1 * MIB))

/* Sends one; *ret is what became of it. */
static int send_one(sd_bus *bus, const char *backend, const char *peer, const char *text,
                    cJSON **ret) {
    _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
    int r = chat_new_call(bus, backend, "SendMessage", &call);

    if (r == 0)
        r = chat_append(call, "the peer", peer);
    if (r == 0)
        r = chat_append(call, "the message", text);
    if (r == 0)
        r = client_send(bus, call, CLIENT_FOREVER, &reply);
    if (r != 0)
        return r;
    r = json_read_bus(reply, ret);
    return r < 0 ? client_report(NULL, r) : 0;
}

static int report(const Invocation *inv, const cJSON *message) {
    _cleanup_free_ char *peer = chat_text(inv->args[2]);

    if (invocation_has(inv, OPT_JSON))
        return json_print(message);
    if (json_is_true(message, "delivered"))
        printf("Sent to %s\n", peer);
    else if (json_is_true(message, "stored-offline"))
        printf("Sent; it waits at the server until %s is online\n", peer);
    else
        printf("Sent; it has not reached %s yet\n", peer);
    return EXIT_SUCCESS;
}

/* ---- lines ---- */

/* The next line of stdin, without its end, into the buffer. 1, 0 at the end, or EXIT_USAGE after a
 * message. */
static int next_line(char *line, uint64_t number) {
    size_t n = 0;
    int c;

    while ((c = getc(stdin)) != EOF && c != '\n') {
        if (n == LINE_MAX_BYTES || c == '\0') {
            print_error("line %" PRIu64 " %s", number,
                        c == '\0' ? "is no text" : "has more than 1M");
            return EXIT_USAGE;
        }
        line[n++] = (char)c;
    }
    if (c == EOF && ferror(stdin)) {
        print_error("cannot read stdin: %s", strerror(errno));
        return EXIT_USAGE;
    }
    if (n > 0 && line[n - 1] == '\r')
        n--;
    line[n] = '\0';
    return n > 0 || c != EOF;
}

static void report_lines(const Invocation *inv, uint64_t sent) {
    _cleanup_free_ char *peer = chat_text(inv->args[2]);

    if (!invocation_has(inv, OPT_JSON))
        printf("Sent to %s: %" PRIu64 "\n", peer, sent);
}

/* Each as soon as it is there. What has failed may have depended on it: nothing follows then. */
static int send_lines(const Invocation *inv, sd_bus *bus) {
    _cleanup_free_ char *line = must(malloc(LINE_MAX_BYTES + 1));
    uint64_t number = 1, sent = 0;
    int r;

    for (; (r = next_line(line, number)) == 1; number++) {
        _cleanup_json_ cJSON *message = NULL;
        if (line[strspn(line, " \t")] == '\0')
            continue;
        if (send_one(bus, inv->args[0], inv->args[2], line, &message) != 0) {
            r = EXIT_USAGE;
            break;
        }
        sent++;
        if (invocation_has(inv, OPT_JSON))
            json_print_line(message);
    }
    if (r == 0) {
        report_lines(inv, sent);
        return EXIT_SUCCESS;
    }
    return print_error("stopped at line %" PRIu64 "; messages sent before it: %" PRIu64, number,
                       sent);
}

int chat_send(const Invocation *inv, sd_bus *bus) {
    _cleanup_free_ char *text = words_join(inv->args + 3, inv->n_args - 3);
    _cleanup_json_ cJSON *message = NULL;

    if (streq(text, "-"))
        return send_lines(inv, bus);
    int r = send_one(bus, inv->args[0], inv->args[2], text, &message);
    return r != 0 ? r : report(inv, message);
}
