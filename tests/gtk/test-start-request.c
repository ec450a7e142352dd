/* A new task: what is said in the form as the daemon takes it, and where the daemon's errors
 * belong.
 */

#include <string.h>

#include "client-gtk/start/daemon-answer.h"
#include "client-gtk/start/kind-form.h"
#include "client-gtk/start/option-form.h"
#include "client-gtk/start/task-request.h"
#include "daemon/core/task-options.h"
#include "daemon/kinds/kinds.h"
#include "tests/unit/unit.h"

#define NOW (G_GINT64_CONSTANT(1795280400) * G_USEC_PER_SEC)

/* name=value, with ; between them */
static FormValues *read_values(const char *text) {
    g_auto(GStrv) pairs = g_strsplit(text, ";", -1);
    FormValues *values = form_values_new();

    for (char **pair = pairs; *pair; pair++) {
        char *equals = strchr(*pair, '=');
        *equals = '\0';
        form_values_set(values, *pair, equals + 1);
    }
    return values;
}

/* ---- requests ---- */

/* clang-format off */
static const struct {
    const char *kind, *values;
    const char *options; /* NULL: there are problems, with: */
    const char *field;
    bool is_missing;
} requests[] = {
    {"command", "argv=ls -l", "{'argv': <['ls', '-l']>}"},
    {"command", "argv= ", NULL, "argv", true},
    {"command", "argv='", NULL, "argv"},
    {"command", "argv=a;label=x;group=default;priority=5", "{'argv': <['a']>, 'label': <'x'>, 'priority': <5>}"},
    {"command", "argv=a;group=build", "{'argv': <['a']>, 'group': <'build'>}"},
    {"command", "argv=a;isolate=yes", "{'argv': <['a']>}"},
    {"command", "argv=a;notify=yes", "{'argv': <['a']>}"},
    {"command", "argv=a;notify=no", "{'argv': <['a']>, 'notify': <false>}"},
    {"command", "argv=a;clear-env=yes;env=A", NULL, "env"},
    {"command", "argv=a;schedule=now;start-at=18:00", "{'argv': <['a']>}"},
    {"command", "argv=a;schedule=at", NULL, "start-at", true},
    {"command", "argv=a;schedule=at;start-at=+1s", "{'argv': <['a']>, 'start-at': <uint64 1795280401000000>}"},
    {"command", "argv=a;schedule=every;every=1min;persistent=yes", "{'argv': <['a']>, 'every': <uint64 60000000>}"},
    {"command", "argv=a;schedule=calendar;calendar=daily;persistent=yes",
     "{'argv': <['a']>, 'calendar': <'daily'>, 'persistent': <true>}"},
    {"command", "argv=a;after=1,2;retries=2;retry-on=3",
     "{'argv': <['a']>, 'after': <[uint64 1, 2]>, 'retries': <uint32 2>, 'retry-on': <[3]>}"},
    {"command", "argv=a;retry-on=x", "{'argv': <['a']>}"},
    {"command", "argv=a;input=open;stdin=x", "{'argv': <['a']>, 'stdin-open': <true>}"},
    {"command", "argv=a;input=text;stdin-file=/x;pty=yes", "{'argv': <['a']>, 'pty': <true>}"},
    {"command", "argv=a;memory-max=much", NULL, "memory-max"},
    {"command", "argv=a;params=[;params.steps=x", "{'argv': <['a']>}"},
    {"noop", "memory-max=1G", "{'params': <'{}'>}"},
    {"noop", "memory-max=1G;isolate=yes", "{'params': <'{}'>, 'isolate': <true>, 'memory-max': <uint64 1073741824>}"},
    {"countdown", "params.steps=8;params.step_ms=100ms;params.message=", "{'params': <'{\"steps\":8,\"step_ms\":100}'>}"},
    {"countdown", "params.steps=0", NULL, "params.steps"},
    {"map", "params.items=a\nb \"c\";params.op=length;params.item_ms=0",
     "{'params': <'{\"items\":[\"a\",\"b \\\\\"c\\\\\"\"],\"op\":\"length\",\"item_ms\":0}'>}"},
    {"map", "params.op=length", NULL, "params.items", true},
    {"compute-e", "params.seconds=0.5;params.force_error=yes", "{'params': <'{\"seconds\":0.5,\"force_error\":true}'>}"},
    {"compute-e", "params.seconds=3;params.force_error=no", "{'params': <'{\"seconds\":3}'>}"},
    {"checksum", "params.paths=/a\n/b;params.algorithm=md5", "{'params': <'{\"paths\":[\"/a\",\"/b\"],\"algorithm\":\"md5\"}'>}"},
    {"checksum", "params.paths=a", NULL, "params.paths"},
    {"download", "params.urls=http://x/;params.size=9007199254740993;params.headers=A: b;params.credential=/x",
     "{'params': <'{\"urls\":[\"http://x/\"],\"size\":9007199254740993,\"headers\":{\"A\":\"b\"}}'>}"},
    {"download", "params.urls=http://x/;params.auth=basic", NULL, "params.credential", true},
    {"http-operation", "params.backend=b;params.path=/x;params.body={\"n\": 1};params.failed_states=bad",
     "{'params': <'{\"backend\":\"b\",\"path\":\"/x\",\"body\":{\"n\": 1},\"failed_states\":[\"bad\"]}'>}"},
    {"http-operation", "params.backend=;params.path=/x", NULL, "params.backend", true},
    {"http-operation", "params.backend=b;params.path=/x;params.body={", NULL, "params.body"},
    {"other", "params={\"a\": 1.50}", "{'params': <'{\"a\": 1.50}'>}"},
    {"other", "params=[1]", NULL, "params"},
    {"other", "params=", "{}"},
};
/* clang-format on */

START_TEST(test_requests) {
    g_autoptr(GHashTable) values = read_values(requests[_i].values);
    g_autoptr(TaskRequest) request = task_request_new(requests[_i].kind, values, NOW);
    g_autofree char *text = NULL;

    ck_assert_str_eq(request->kind, requests[_i].kind);
    ck_assert_int_eq(request->options != NULL, requests[_i].options != NULL);
    ck_assert_int_eq(request->problems->len > 0, requests[_i].options == NULL);
    if (!request->options) {
        const FormProblem *problem = g_ptr_array_index(request->problems, 0);
        ck_assert_str_eq(problem->field->name, requests[_i].field);
        ck_assert_int_eq(problem->is_missing, requests[_i].is_missing);
        ck_assert(problem->message[0]);
        return;
    }
    text = g_variant_print(request->options, TRUE);
    if (!g_str_equal(requests[_i].options, "{}"))
        ck_assert_str_eq(text, requests[_i].options);
}
END_TEST

START_TEST(test_names) {
    g_autoptr(GHashTable) values = read_values("label=;argv= ls  -l ");
    g_autofree char *line = task_request_name("command", values), *kind = NULL, *label = NULL;

    ck_assert_str_eq(line, "ls  -l");
    kind = task_request_name("download", values);
    ck_assert_str_eq(kind, "Download");
    form_values_set(values, "label", "<b>");
    label = task_request_name("command", values);
    ck_assert_str_eq(label, "<b>");
}
END_TEST

/* ---- as the daemon has it ---- */

/* What the window does not ask for, and why. */
static const char *const left_out[] = {
    "after-index",                 /* of StartMany */
    "params", "argv", "stdin-open" /* by other fields */
};

static bool is_left_out(const char *name) {
    for (gsize i = 0; i < G_N_ELEMENTS(left_out); i++)
        if (g_str_equal(left_out[i], name))
            return true;
    return false;
}

static const char *type_of(const Field *f) {
    static const char *const types[] = {
        [FIELD_TEXT] = "s",   [FIELD_MESSAGE] = "ay", [FIELD_OCTAL] = "u",
        [FIELD_SPAN] = "t",   [FIELD_SIZE] = "t",     [FIELD_TIME] = "t",
        [FIELD_SWITCH] = "b", [FIELD_CHOICE] = "s",   [FIELD_ID] = "t",
        [FIELD_IDS] = "at",   [FIELD_CODES] = "ai",   [FIELD_TOKENS] = "a{su}",
        [FIELD_ENV] = "as",   [FIELD_FILE] = "s",     [FIELD_FOLDER] = "s",
        [FIELD_GROUP] = "s",  [FIELD_BACKEND] = "s"};
    static const char *const numbers[] = {"u", "i", "t"};

    return f->type == FIELD_NUMBER ? numbers[strchr("uit", f->signature) - "uit"] : types[f->type];
}

/* Every option of the daemon is there, with its type. */
START_TEST(test_all_options) {
    for (const TaskOption *o = task_options(); o->name; o++) {
        const Field *f = option_form_find(o->name);
        if (is_left_out(o->name))
            continue;
        ck_assert_msg(f, "%s", o->name);
        ck_assert_msg(g_str_equal(type_of(f), o->type), "%s", o->name);
    }
}
END_TEST

START_TEST(test_no_other_option) {
    for (gsize i = 0; i < n_option_sections; i++)
        for (gsize k = 0; k < option_sections[i].n_fields; k++) {
            const Field *f = &option_sections[i].fields[k];
            ck_assert_msg(f->is_choice || task_option_by_name(f->name), "%s", f->name);
        }
}
END_TEST

/* What the forms make of plain values passes the kinds' own checks. */
static const struct {
    const Kind *kind;
    const char *values;
} good[] = {
    {&kind_countdown, "params.steps=8;params.step_ms=1s;params.message=hello"},
    {&kind_map, "params.items=a;params.op=lowercase;params.item_ms=50ms"},
    {&kind_compute_e, "params.seconds=3;params.force_error=yes"},
    {&kind_noop, "label=x"},
    {&kind_checksum, "params.paths=/a b\n/c;params.algorithm=blake2b-512"},
    {&kind_download,
     "params.urls=https://x/y;params.path=/z;params.overwrite=yes;params.size=1;params.headers=A: "
     "b;params.auth=bearer;params.credential=/c;params.ca_file=/d;params.give_up_after_ms=1min;"
     "params.stall_timeout_ms=5s"},
    {&kind_http_operation,
     "params.backend=b;params.path=/p;params.method=PUT;params.body=[1];params.headers=X: "
     "y;params.idempotency_key=k;params.start_tries=3;params.poll_interval_ms=2s;"
     "params.url_template=/j/{/id};params.state_field=/s;params.progress_field=/p;"
     "params.total_field=/t;params.message_field=/m;params.result_field=/r;params.error_field=/e;"
     "params.succeeded_states=ok;params.failed_states=bad;params.cancelled_states=gone;"
     "params.cancel_method=POST;params.cancel_path=cancel;params.cancel_body={}"},
};

START_TEST(test_kinds) {
    g_autoptr(GHashTable) values = read_values(good[_i].values);
    g_autoptr(TaskRequest) request = task_request_new(good[_i].kind->name, values, NOW);
    const char *params = NULL;
    char *error = NULL;
    cJSON *json = NULL;

    ck_assert_uint_eq(request->problems->len, 0);
    ck_assert(g_variant_lookup(request->options, "params", "&s", &params));
    ck_assert_int_ge(kind_parse_params(params, &json, &error), 0);
    ck_assert_msg(good[_i].kind->check(json, &error) >= 0, "%s", error);
    cJSON_Delete(json);
}
END_TEST

/* ---- answers ---- */

/* clang-format off */
static const struct {
    const char *kind, *error, *message, *field;
} answers[] = {
    {"command", "InvalidOption", "cwd /nowhere is not a folder", "cwd"},
    {"command", "InvalidOption", "cwd \"x\" is not absolute: give a path that begins with /", "cwd"},
    {"command", "InvalidOption", "env[2] is not VARIABLE=VALUE: \"x\"", "env"},
    {"command", "InvalidOption", "argv[1] has 200000 bytes; the system takes at most 131071", "argv"},
    {"command", "InvalidOption", "option priority is of type i, not u", "priority"},
    {"command", "InvalidOption", "calendar \"2020-01-01\" never elapses: all of its moments are over", "calendar"},
    {"command", "InvalidOption", "calendar: Invalid argument", "calendar"},
    {"command", "InvalidOption", "pty-size is COLUMNSxROWS, each from 1 to 65535", "pty-size"},
    {"command", "InvalidOption", "retry-delay says nothing without retries: give retries as well", "retry-delay"},
    {"command", "InvalidOption", "after does not go with every: the runs of a series begin at their times", "after"},
    {"command", "InvalidOption", "task 3 cannot be waited for and be the parent, too", "parent"},
    {"command", "InvalidOption", "stdin has more than 1024 KiB: put it into a file and name that in stdin-file", "stdin"},
    {"command", "InvalidOption", "resources: it wants gpu=2, but there are only 1", "resources"},
    {"command", "NoSuchTask", "after: there is no task 7: it never was, or has been removed", "after"},
    {"command", "NoSuchTask", "parent: there is no task 7: it never was, or has been removed", "parent"},
    {"command", "NotRunning", "parent: task 7 has ended already", "parent"},
    {"command", "NoSuchGroup", "there is no group \"x\"", "group"},
    {"command", "QueueFull", "the queue of group \"x\" is full", "group"},
    {"command", "NoSuchResource", "there is no resource \"gpu\"", "resources"},
    {"command", "NoSuchBackend", "There is no backend \"b\" for when-online: add it first", "when-online"},
    {"command", "UnknownOption", "There is no option \"pty\". Known are: after, argv, label", "pty"},
    {"command", "UnknownOption", "There is no option \"new\". Known are: after, argv, label", NULL},
    {"command", "Storage", "cannot write label and cwd", NULL},
    {"command", NULL, "timeout was reached", NULL},
    {"http-operation", "NoSuchBackend", "There is no backend \"b\": add it first", "params.backend"},
    {"http-operation", "InvalidOption", "params of kind http-operation: 'path' names another server", "params.path"},
    {"http-operation", "InvalidOption", "params of kind http-operation: parameter 'headers': Host is not taken", "params.headers"},
    {"download", "InvalidOption", "params of kind download: parameter 'urls[0]' must be a url", "params.urls"},
    {"download", "InvalidOption", "params of kind download: parameter 'url' has more than 8192 bytes", "params.urls"},
    {"download", "InvalidOption", "params of kind download: headers: 'a b' cannot be the name", "params.headers"},
    {"checksum", "InvalidOption", "params of kind checksum: paths[0] must be an absolute path, not 'x'", "params.paths"},
    {"checksum", "InvalidOption", "params of kind checksum: parameter 'algorithm' must be the name", "params.algorithm"},
    {"other", "InvalidOption", "params of kind other: parameter 'x' is missing", "params"},
    {"noop", "InvalidOption", "memory-max is for tasks with a process of their own: give isolate as well", "memory-max"},
};
/* clang-format on */

START_TEST(test_answers) {
    g_autofree char *field =
        daemon_answer_field(answers[_i].kind, answers[_i].error, answers[_i].message);

    ck_assert_msg(g_strcmp0(field, answers[_i].field) == 0, "\"%s\": %s", answers[_i].message,
                  field);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("start-request");
    TCase *t = tcase_create("request");

    tcase_add_loop_test(t, test_requests, 0, G_N_ELEMENTS(requests));
    tcase_add_test(t, test_names);
    tcase_add_test(t, test_all_options);
    tcase_add_test(t, test_no_other_option);
    tcase_add_loop_test(t, test_kinds, 0, G_N_ELEMENTS(good));
    tcase_add_loop_test(t, test_answers, 0, G_N_ELEMENTS(answers));
    suite_add_tcase(suite, t);
    return unit_run(suite);
}
