#include <stdio.h>

#include "client-cli/backend-gather.h"
#include "client-cli/backend.h"
#include "client-cli/client.h"
#include "client-cli/cmd-backend.h"
#include "client-cli/output.h"

/* longrun backend check */

/* How it went with one. */
typedef struct Check {
    const char *name; /* not owned */
    bool answered;    /* the daemon has: there is such a backend */
    int online;
    cJSON *backend; /* its properties after that, owned; NULL: not known */
} Check;

static void checks_free(Check *checks, size_t n) {
    for (size_t i = 0; i < n; i++)
        cJSON_Delete(checks[i].backend);
    free(checks);
}

/* When the daemon has gone away meanwhile, the next one is asked, with patience: a question does no
 * harm twice. */
static int ask_again(sd_bus *bus, const char *name, int *ret_online) {
    _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
    int r = backend_new_call(bus, name, CLIENT_BACKEND, "CheckStatus", &call);

    if (r == 0)
        r = client_ask(bus, call, CLIENT_FOREVER, &reply);
    if (r != 0)
        return r;
    r = sd_bus_message_read(reply, "b", ret_online);
    return r < 0 ? client_report(NULL, r) : 0;
}

static void read_answer(sd_bus *bus, sd_bus_message *reply, Check *check) {
    int r;

    if (sd_bus_message_is_method_error(reply, NULL)) {
        check->answered = ask_again(bus, check->name, &check->online) == 0;
        return;
    }
    r = sd_bus_message_read(reply, "b", &check->online);
    if (r < 0)
        client_report(NULL, r);
    check->answered = r >= 0;
}

static int check_all(sd_bus *bus, const cJSON *names, Check *checks) {
    static const BackendQuestion question = {
        .interface = CLIENT_BACKEND,
        .member = "CheckStatus",
        .timeout = CLIENT_FOREVER,
    };
    size_t n = (size_t)cJSON_GetArraySize(names), i = 0;
    sd_bus_message **replies = must(calloc(n + 1, sizeof(sd_bus_message *)));
    int r = backend_gather(bus, names, &question, replies);
    const cJSON *name;

    cJSON_ArrayForEach (name, names) {
        checks[i].name = name->valuestring;
        if (r == 0)
            read_answer(bus, replies[i], &checks[i]);
        i++;
    }
    backend_replies_free(replies, n);
    return r;
}

/* ---- what is printed ---- */

/* Of one that still counts as online, since it takes more failures than this, too. */
static const char *describe_state(const Check *check) {
    if (check->online)
        return "online";
    return streq(json_string(check->backend, "state"), "unknown") ? "unknown" : "offline";
}

static const char *describe_reason(const Check *check) {
    const char *reason = backend_reason(check->backend);

    if (check->online)
        return "";
    return *reason ? reason : json_string(check->backend, "last-error");
}

static void print_check(const Check *check) {
    const char *state = describe_state(check);
    const char *colour = output_has_colour() ? backend_state_colour(state) : "";
    _cleanup_free_ char *name = text_display(check->name);
    _cleanup_free_ char *reason = text_display(describe_reason(check));
    char latency[FORMAT_MAX];

    printf("%s: %s%s%s", name, colour, state, colour[0] ? COLOUR_OFF : "");
    if (check->online)
        printf(" (%s)", backend_format_latency(latency, check->backend));
    printf("%s%s\n", *reason ? ": " : "", reason);
}

static cJSON *check_json(const Check *check) {
    cJSON *object = must(cJSON_CreateObject());

    cJSON_AddStringToObject(object, "name", check->name);
    cJSON_AddBoolToObject(object, "online", check->online);
    cJSON_AddStringToObject(object, "state", json_string(check->backend, "state"));
    cJSON_AddStringToObject(object, "reason", describe_reason(check));
    cJSON_AddItemToObject(object, "latency", json_new_u64(json_u64(check->backend, "latency")));
    return object;
}

static void print_all(const Invocation *inv, const Check *checks, size_t n) {
    bool as_json = invocation_has(inv, OPT_JSON);
    _cleanup_json_ cJSON *list = must(cJSON_CreateArray());

    for (size_t i = 0; i < n; i++) {
        if (!checks[i].answered)
            continue;
        if (as_json)
            cJSON_AddItemToArray(list, check_json(&checks[i]));
        else
            print_check(&checks[i]);
    }
    if (as_json)
        json_print(list);
}

/* 0 when all of them are online. */
static int check_and_print(const Invocation *inv, sd_bus *bus, const cJSON *names, Check *checks) {
    size_t n = (size_t)cJSON_GetArraySize(names);
    int status = check_all(bus, names, checks);

    if (status != 0)
        return status;
    for (size_t i = 0; i < n; i++) {
        if (checks[i].answered && backend_properties(bus, checks[i].name, &checks[i].backend) != 0)
            checks[i].answered = false;
        if (!checks[i].answered || !checks[i].online)
            status = EXIT_FAILURE;
    }
    print_all(inv, checks, n);
    return status;
}

int cmd_backend_check(const Invocation *inv) {
    _cleanup_json_ cJSON *names = backend_names_given(inv);
    _cleanup_bus_ sd_bus *bus = NULL;

    if (!names)
        return EXIT_FAILURE;
    int r = client_connect(&bus);
    if (r < 0)
        return r;
    size_t n = (size_t)cJSON_GetArraySize(names);
    Check *checks = must(calloc(n + 1, sizeof(Check)));
    r = check_and_print(inv, bus, names, checks);
    checks_free(checks, n);
    return r;
}
