#include <errno.h>
#include <inttypes.h>
#include <signal.h>

#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/interrupt.h"
#include "client-cli/output.h"
#include "client-cli/terminal-progress.h"
#include "client-cli/watch-view.h"
#include "common/clock.h"
#include "common/task-state.h"

/* longrun watch: what is listened to. */

#define REDRAW_USEC USEC_PER_SEC /* the time goes on when nothing else does */

const Option watch_options[] = {
    {OPT_JSON, 'j', "json", NULL, "print JSON, an object a line"},
    OPTIONS_END,
};

typedef struct Watch {
    sd_bus *bus; /* not owned */
    sd_event *event;
    uint64_t id;
    cJSON *task; /* keys of a listed task; NULL until the first answer */
    TaskEnd end;
    WatchView view;
    bool refreshing; /* asked again for what no signal tells: the answer is no news */
    bool done;
    int result; /* 0 or -errno, once it is done */
} Watch;

static int finish(Watch *w, int r) {
    w->done = true;
    w->result = r;
    return 0;
}

static void set_item(Watch *w, const char *key, cJSON *item) {
    must(item);
    if (cJSON_HasObjectItem(w->task, key))
        cJSON_ReplaceItemInObjectCaseSensitive(w->task, key, item);
    else
        cJSON_AddItemToObject(w->task, key, item);
}

static void show(Watch *w) {
    if (!w->task)
        return;
    int r = watch_view_show(&w->view, w->task, w->end.id > 0 ? &w->end : NULL);
    if (r < 0)
        finish(w, r);
}

static bool is_final(const Watch *w) {
    TaskState state = task_state_from_string(json_string(w->task, "state"));

    return state >= 0 && task_state_is_final(state);
}

static int on_task(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    Watch *w = userdata;
    cJSON *task;

    /* The question for the end has the same error for an answer, and reports it. If it is that the
     * daemon has gone away, it is asked again when the next one is there. */
    if (sd_bus_message_is_method_error(reply, NULL)) {
        w->refreshing = false;
        return 0;
    }
    int r = client_read_properties(reply, &task);
    if (r < 0)
        return finish(w, r);
    cJSON_Delete(w->task);
    w->task = task;
    if (!is_final(w) && (!w->refreshing || output_is_terminal()))
        show(w);
    w->refreshing = false;
    return 0;
}

static int ask_task(Watch *w) {
    char path[CLIENT_PATH_MAX];

    return sd_bus_call_method_async(w->bus, NULL, CLIENT_NAME, client_task_path(path, w->id),
                                    "org.freedesktop.DBus.Properties", "GetAll", on_task, w, "s",
                                    CLIENT_TASK);
}

/* Rate and time left are what they are when somebody asks. One answer is waited for at a time. */
static void refresh(Watch *w) {
    if (w->task && !w->refreshing && !is_final(w))
        w->refreshing = ask_task(w) >= 0;
}

static int on_progress(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Watch *w = userdata;
    uint64_t done, total;
    const char *phase;
    double fraction;

    /* Older than the answer that is still to come. */
    if (!w->task)
        return 0;
    if (sd_bus_message_read(m, "dtts", &fraction, &done, &total, &phase) < 0)
        return 0;
    if (!streq(json_string(w->task, "phase"), phase)) {
        set_item(w, "rate", cJSON_CreateNumber(-1));
        set_item(w, "expected-end-time", json_new_u64(0));
    }
    set_item(w, "progress", cJSON_CreateNumber(fraction));
    set_item(w, "done", json_new_u64(done));
    set_item(w, "total", json_new_u64(total));
    set_item(w, "phase", cJSON_CreateString(phase));
    show(w);
    /* So that they are there as soon as they are known, and of short tasks at all. */
    if ((w->view.as_json || output_is_terminal()) && json_double(w->task, "rate") < 0 &&
        json_u64(w->task, "expected-end-time") == 0)
        refresh(w);
    return 0;
}

static int on_status(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Watch *w = userdata;
    const char *text;

    if (!w->task || sd_bus_message_read(m, "s", &text) < 0)
        return 0;
    set_item(w, "status", cJSON_CreateString(text));
    show(w);
    return 0;
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    _cleanup_json_ cJSON *changed = NULL;
    Watch *w = userdata;
    const char *interface;

    if (!w->task || sd_bus_message_read(m, "s", &interface) < 0 || !streq(interface, CLIENT_TASK) ||
        json_read_bus(m, &changed) < 0)
        return 0;
    json_tidy_task(changed);
    while (changed->child) {
        cJSON *item = cJSON_DetachItemViaPointer(changed, changed->child);
        _cleanup_free_ char *key = must(strdup(item->string));
        set_item(w, key, item);
    }
    /* Running has begun: when, is not announced, but it was just now. */
    if (streq(json_string(w->task, "state"), "running") && json_u64(w->task, "started-at") == 0)
        set_item(w, "started-at", json_new_u64(clock_usec(CLOCK_REALTIME)));
    /* How it ended is for the last line, which has the closing words, too. */
    if (!is_final(w))
        show(w);
    return 0;
}

/* Another daemon: what happened in between was not announced. */
static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Watch *w = userdata;
    const char *name, *before, *now;

    if (sd_bus_message_read(m, "sss", &name, &before, &now) < 0 || isempty(now))
        return 0;
    int r = ask_task(w);
    return r < 0 ? finish(w, client_report(NULL, r)) : 0;
}

static int on_ended(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    Watch *w = userdata;

    return finish(w, client_read_ends(reply, &w->end, 1));
}

static int on_second(sd_event_source *source, uint64_t usec, void *userdata) {
    Watch *w = userdata;

    if (!w->view.as_json)
        show(w);
    refresh(w);
    sd_event_source_set_time(source, usec + REDRAW_USEC);
    return sd_event_source_set_enabled(source, SD_EVENT_ON);
}

/* Nobody reads any more: go as if we had written, rather than wait for the next line. */
static int on_reader_gone(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    Watch *w = userdata;

    raise(SIGPIPE);
    return finish(w, -EPIPE);
}

static int subscribe(Watch *w) {
    static const struct {
        const char *interface, *member;
        sd_bus_message_handler_t callback;
    } signals[] = {{CLIENT_TASK, "Progress", on_progress},
                   {CLIENT_TASK, "Status", on_status},
                   {"org.freedesktop.DBus.Properties", "PropertiesChanged", on_properties}};
    char path[CLIENT_PATH_MAX];
    int r = 0;

    client_task_path(path, w->id);
    for (size_t i = 0; i < ELEMENTSOF(signals) && r >= 0; i++)
        r = sd_bus_match_signal_async(w->bus, NULL, CLIENT_NAME, path, signals[i].interface,
                                      signals[i].member, signals[i].callback, NULL, w);
    if (r >= 0)
        r = sd_bus_add_match_async(w->bus, NULL,
                                   "type='signal',sender='org.freedesktop.DBus',"
                                   "member='NameOwnerChanged',arg0='" CLIENT_NAME "'",
                                   on_owner_changed, NULL, w);
    return r;
}

static int begin(Watch *w) {
    int r;

    r = client_watch_reader(w->event, on_reader_gone, w);
    if (r >= 0)
        r = sd_bus_attach_event(w->bus, w->event, SD_EVENT_PRIORITY_NORMAL);
    /* The bus handles what one client sends in order: the signals are ours before the daemon is
     * asked what there is. */
    if (r >= 0)
        r = subscribe(w);
    if (r >= 0)
        r = ask_task(w);
    if (r >= 0 && (w->view.as_json || output_is_terminal()))
        r = sd_event_add_time_relative(w->event, NULL, CLOCK_MONOTONIC, REDRAW_USEC, 0, on_second,
                                       w);
    if (r < 0)
        return client_report(NULL, r);
    return client_wait_async(w->bus, w->id, on_ended, w);
}

/* The last line says how it ended; only a task that was removed meanwhile cannot be asked. */
static int print_end(Watch *w) {
    cJSON *task = NULL;
    int r;

    r = client_task_properties(w->bus, w->id, &task);
    if (r < 0)
        return r;
    cJSON_Delete(w->task);
    w->task = task;
    show(w);
    output_end_line();
    fflush(stdout);
    return client_exit_status(&w->end);
}

int cmd_watch(const Invocation *inv) {
    _cleanup_free_ uint64_t *ids = invocation_ids(inv);
    _cleanup_bus_ sd_bus *bus = NULL;
    Watch w = {.view.as_json = invocation_has(inv, OPT_JSON)};
    int r;

    if (!ids)
        return EXIT_USAGE;
    r = client_connect(&bus);
    if (r < 0)
        return r;
    w.bus = bus;
    w.id = ids[0];
    r = sd_event_new(&w.event);
    if (r < 0)
        return print_error("%s", strerror(-r));
    interrupt_say("%s%sTask %" PRIu64 " goes on. Cancel it: longrun cancel %" PRIu64 "\n",
                  w.view.as_json ? "" : terminal_progress_off(), output_is_terminal() ? "\n" : "",
                  ids[0], ids[0]);
    r = begin(&w);
    if (r >= 0)
        r = client_loop(w.event, &w.done);
    if (r >= 0)
        r = w.result;
    if (r >= 0)
        r = print_end(&w);
    terminal_progress_clear(); /* also where something went wrong */
    sd_bus_detach_event(bus);
    sd_event_unref(w.event);
    cJSON_Delete(w.task);
    watch_view_done(&w.view);
    return r;
}
