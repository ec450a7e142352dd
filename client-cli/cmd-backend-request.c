#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "client-cli/backend.h"
#include "client-cli/body.h"
#include "client-cli/client.h"
#include "client-cli/cmd-backend.h"
#include "client-cli/output.h"
#include "common/escape-filter.h"

/* longrun backend request */

const Option backend_request_options[] = {
    {OPT_QUIET, 'q', "quiet", NULL, "the body alone: no HTTP status on stderr"},
    {OPT_JSON, 'j', "json", NULL, "print JSON: status and body"},
    OPTIONS_END,
};

/* As it came; but a terminal is not to obey what others say. */
static void print_body(const char *body) {
    size_t size = strlen(body);
    EscapeFilter filter;

    if (!output_is_terminal()) {
        fputs(body, stdout);
        return;
    }
    _cleanup_free_ char *shown = must(malloc(size + ESCAPE_FILTER_MORE));
    escape_filter_init(&filter, ESCAPE_FILTER_DUMB);
    size_t n = escape_filter(&filter, body, size, shown);
    fwrite(shown, 1, n, stdout);
    if (n > 0 && shown[n - 1] != '\n')
        putchar('\n');
}

static void print_json(uint32_t status, const char *body) {
    _cleanup_json_ cJSON *object = must(cJSON_CreateObject());

    cJSON_AddNumberToObject(object, "status", status);
    cJSON_AddStringToObject(object, "body", body);
    json_print(object);
}

static int print_answer(const Invocation *inv, sd_bus_message *reply) {
    const char *body;
    uint32_t status;
    int r = sd_bus_message_read(reply, "us", &status, &body);

    if (r < 0)
        return client_report(NULL, r);
    if (invocation_has(inv, OPT_JSON))
        print_json(status, body);
    else {
        print_body(body);
        fflush(stdout);
        if (!invocation_has(inv, OPT_QUIET))
            fprintf(stderr, "HTTP %" PRIu32 "\n", status);
    }
    return status >= 200 && status < 300 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int append_request(const Invocation *inv, sd_bus_message *call) {
    _cleanup_free_ char *method = must(strdup(inv->args[1])), *body = NULL;
    int r = text_check("the path", inv->args[2]);

    for (char *p = method; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    if (r == 0)
        r = text_check("the method", method);
    if (r == 0 && inv->n_args > 3)
        r = body_read(inv->args[3], &body);
    if (r != 0)
        return r;
    r = sd_bus_message_append(call, "sss", method, inv->args[2], strempty(body));
    return r < 0 ? client_report(NULL, r) : 0;
}

int cmd_backend_request(const Invocation *inv) {
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
    int r;

    r = client_connect(&bus);
    if (r == 0)
        r = backend_new_call(bus, inv->args[0], CLIENT_BACKEND, "Request", &call);
    if (r == 0)
        r = append_request(inv, call);
    /* However long it takes: the daemon knows when to give up. */
    if (r == 0)
        r = client_send(bus, call, CLIENT_FOREVER, &reply);
    return r != 0 ? r : print_answer(inv, reply);
}
