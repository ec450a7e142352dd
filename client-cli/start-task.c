#include "client-cli/start-task.h"

#include <inttypes.h>
#include <stdio.h>

#include "client-cli/append.h"
#include "client-cli/client.h"
#include "client-cli/interrupt.h"
#include "client-cli/logout.h"
#include "client-cli/output.h"
#include "client-cli/start-follow.h"
#include "client-cli/start-stdin.h"
#include "client-cli/surroundings.h"
#include "client-cli/task-options.h"
#include "client-cli/task-text.h"
#include "client-cli/when.h"
#include "client-cli/words.h"
#include "common/clock.h"

/* A task that was started, or found under its key. */
typedef struct Started {
    const StartRequest *request; /* not owned */
    uint64_t id;
    char *object; /* owned */
    cJSON *task;  /* its properties, owned; NULL when nothing of them is needed */
    bool found;
    StartStdin in;
} Started;

static void started_done(Started *s) {
    free(s->object);
    cJSON_Delete(s->task);
    start_stdin_done(&s->in);
    *s = (Started){};
}

static int check_flags(const Invocation *inv) {
    static const OptionId ids[] = {OPT_FOLLOW, OPT_QUIET};

    if (invocation_has(inv, OPT_FOLLOW) &&
        (invocation_has(inv, OPT_EVERY) || invocation_has(inv, OPT_CALENDAR)))
        return usage_error(inv->command,
                           "--follow does not go together with --every or --calendar: a series "
                           "prints nothing itself, its runs do; \"longrun tree\" shows them");
    if (!invocation_has(inv, OPT_JSON))
        return 0;
    for (size_t i = 0; i < ELEMENTSOF(ids); i++)
        if (invocation_has(inv, ids[i]))
            return usage_error(inv->command,
                               "--json does not go together with --follow or --quiet");
    return 0;
}

static int append_argv(const Invocation *inv, sd_bus_message *call) {
    int r;

    for (size_t i = 0; i < inv->n_args; i++) {
        char what[32];
        snprintf(what, sizeof(what), "argument %zu", i);
        r = text_check(what, inv->args[i]);
        if (r != 0)
            return r;
    }
    r = sd_bus_message_append_strv(call, inv->args);
    return r < 0 ? client_report(NULL, r) : 0;
}

static int append_kind(const char *kind, sd_bus_message *call) {
    int r = text_check("the kind", kind);

    if (r != 0)
        return r;
    r = sd_bus_message_append_basic(call, 's', kind);
    return r < 0 ? client_report(NULL, r) : 0;
}

/* What a command gets besides its options. */
static int append_inputs(const Invocation *inv, sd_bus_message *call, StartStdin *in) {
    int r = surroundings_append(inv, call);

    return r != 0 ? r : start_stdin_append(inv, call, in);
}

/* What only one of the two has. */
static int append_own(const Invocation *inv, const StartRequest *request, sd_bus_message *call,
                      StartStdin *in) {
    int r = 0;

    if (!request->kind)
        return append_inputs(inv, call, in);
    if (request->makes_files)
        r = surroundings_append_umask(inv, call);
    if (r == 0 && request->params)
        r = append_string(call, "params", request->params);
    return r;
}

static int append_options(const Invocation *inv, const StartRequest *request,
                          sd_bus_message *call) {
    int r = task_options_append(inv, call);

    if (r != 0 || !request->label || invocation_has(inv, OPT_LABEL))
        return r;
    return append_string(call, "label", request->label);
}

static int fill_call(const Invocation *inv, const StartRequest *request, uint64_t start_at,
                     sd_bus_message *call, StartStdin *in) {
    int r;

    r = request->kind ? append_kind(request->kind, call) : append_argv(inv, call);
    if (r == 0)
        r = append_open(call);
    if (r == 0)
        r = append_options(inv, request, call);
    if (r == 0 && start_at > 0)
        r = append_u64(call, "start-at", start_at);
    if (r == 0)
        r = append_own(inv, request, call, in);
    return r != 0 ? r : append_close(call);
}

/* Whether it may have to wait for more than a slot. */
static bool is_planned(const Invocation *inv) {
    static const OptionId ids[] = {OPT_AT,       OPT_AFTER,       OPT_AFTER_ANY, OPT_AFTER_FAILED,
                                   OPT_CALENDAR, OPT_WHEN_ONLINE, OPT_EVERY};

    for (size_t i = 0; i < ELEMENTSOF(ids); i++)
        if (invocation_has(inv, ids[i]))
            return true;
    return false;
}

/* With a key the daemon may give back a task that was there before: its age tells. */
static int look_at(const Invocation *inv, sd_bus *bus, uint64_t before_usec, Started *s) {
    bool unique = invocation_has(inv, OPT_UNIQUE);
    bool tells = is_planned(inv) && !invocation_has(inv, OPT_QUIET);
    int r;

    if (!unique && !tells)
        return 0;
    r = client_task_properties(bus, s->id, &s->task);
    if (r < 0)
        return r;
    s->found = unique && json_u64(s->task, "created-at") < before_usec;
    return 0;
}

static int send_call(const Invocation *inv, sd_bus *bus, sd_bus_message *call, Started *ret) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    uint64_t before_usec = clock_usec(CLOCK_REALTIME);
    const char *object;
    int r;

    r = client_send(bus, call, 0, &reply);
    if (r < 0)
        return r;
    r = sd_bus_message_read(reply, "to", &ret->id, &object);
    if (r < 0)
        return client_report(NULL, r);
    ret->object = must(strdup(object));
    return look_at(inv, bus, before_usec, ret);
}

static int print_json(const Started *s) {
    uint64_t due = s->task ? task_due(s->task, clock_usec(CLOCK_REALTIME)) : 0;
    _cleanup_json_ cJSON *object = must(cJSON_CreateObject());

    cJSON_AddItemToObject(object, "id", json_new_u64(s->id));
    cJSON_AddStringToObject(object, "object", s->object);
    cJSON_AddBoolToObject(object, "already-running", s->found);
    if (due > 0)
        cJSON_AddItemToObject(object, "due-at", json_new_u64(due));
    return json_print(object);
}

/* What is said about it: the label, else the command line, else the kind. */
static char *describe(const Invocation *inv, const StartRequest *request) {
    const char *label = invocation_value(inv, OPT_LABEL) ?: request->label;

    if (!isempty(label))
        return text_display(label);
    if (request->kind)
        return text_display(request->kind);
    _cleanup_free_ char *text = words_join(inv->args, inv->n_args);
    return text_display(text);
}

/* " (starts at Sat 2026-11-21 18:00:00)", or why else a task waits; "" for one that does not. */
static char *describe_plan(const Started *s) {
    uint64_t now = clock_usec(CLOCK_REALTIME), due = s->task ? task_due(s->task, now) : 0;
    _cleanup_free_ char *reason = s->task ? task_reason(s->task, now) : must(strdup(""));
    bool series = s->task && task_is_series(s->task);
    char when[WHEN_MAX], *text;
    int n;

    if (due > 0)
        n = asprintf(&text, " (%s at %s)", series ? "first run" : "starts", format_when(when, due));
    else
        n = asprintf(&text, *reason ? " (%s)" : "%s", reason);
    return must(n < 0 ? NULL : text);
}

/* "already waiting: task 7", "already running: task 7" */
static void print_found(const Started *s, FILE *f) {
    const char *state = json_string(s->task, "state");
    bool pending = streq(state, "waiting") || streq(state, "queued");

    fprintf(f, "already %s: task %" PRIu64 "\n", pending ? state : "running", s->id);
}

static void print_started(const Invocation *inv, const Started *s, FILE *f) {
    _cleanup_free_ char *what = describe(inv, s->request), *plan = describe_plan(s);

    if (s->found)
        print_found(s, f);
    else
        fprintf(f, "%s task %" PRIu64 ": %s%s%s%s\n", *plan ? "Planned" : "Started", s->id, what,
                plan, s->in.text ? ", stdin: " : "", strempty(s->in.text));
}

static int report(const Invocation *inv, sd_bus *bus, const Started *s) {
    if (invocation_has(inv, OPT_JSON))
        return print_json(s);
    if (invocation_has(inv, OPT_QUIET)) {
        printf("%" PRIu64 "\n", s->id);
        return EXIT_SUCCESS;
    }
    print_started(inv, s, stdout);
    if (output_is_terminal())
        printf("Follow it: longrun log -f %" PRIu64 "\n", s->id);
    logout_warn(bus);
    return EXIT_SUCCESS;
}

/* What else there is to say goes to stderr. */
static int follow(const Invocation *inv, sd_bus *bus, const Started *s) {
    bool streams = s->in.streams && !s->found, quiet = invocation_has(inv, OPT_QUIET);

    start_follow_keys(s->id, streams);
    if (!quiet) {
        print_started(inv, s, stderr);
        if (!s->request->kind && !s->found)
            start_stdin_hint(inv);
        logout_warn(bus);
    }
    return start_follow(bus, s->id, streams, quiet);
}

static int new_call(const Invocation *inv, sd_bus *bus, uint64_t start_at, sd_bus_message **ret,
                    Started *started) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r;

    r = client_new_call(bus, started->request->kind ? "Start" : "StartCommand", &call);
    if (r == 0)
        r = fill_call(inv, started->request, start_at, call, &started->in);
    if (r != 0)
        return r;
    *ret = TAKE_PTR(call);
    return 0;
}

int start_task(const Invocation *inv, const StartRequest *request) {
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_message_ sd_bus_message *call = NULL;
    _cleanup_(started_done) Started started = {.request = request};
    uint64_t start_at = 0;
    int r;

    r = check_flags(inv);
    if (r == 0 && invocation_has(inv, OPT_AT))
        r = when_parse(inv->command, "at", invocation_value(inv, OPT_AT), &start_at);
    if (r == 0)
        r = client_connect(&bus);
    if (r == 0)
        r = new_call(inv, bus, start_at, &call, &started);
    if (r != 0)
        return r;

    if (invocation_has(inv, OPT_FOLLOW))
        interrupt_say("\nThe daemon has not answered yet; \"longrun list\" shows whether the task "
                      "was started.\n");
    r = send_call(inv, bus, call, &started);
    if (r < 0)
        return r;
    return invocation_has(inv, OPT_FOLLOW) ? follow(inv, bus, &started)
                                           : report(inv, bus, &started);
}
