#include "client-cli/backend-gather.h"

#include "client-cli/backend.h"
#include "client-cli/client.h"
#include "client-cli/output.h"

typedef struct Gathering {
    size_t left;
} Gathering;

typedef struct Wanted {
    Gathering *gathering; /* not owned */
    sd_bus_message **reply;
} Wanted;

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    Wanted *w = userdata;

    *w->reply = sd_bus_message_ref(reply);
    w->gathering->left--;
    return 0;
}

static int ask(sd_bus *bus, const char *name, const BackendQuestion *question, Wanted *wanted) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r = backend_new_call(bus, name, question->interface, question->member, &call);

    if (r == 0 && question->argument)
        r = sd_bus_message_append_basic(call, 's', question->argument);
    if (r >= 0)
        r = sd_bus_call_async(bus, NULL, call, on_reply, wanted, question->timeout);
    return r < 0 ? client_report(NULL, r) : 0;
}

static int wait_for_all(sd_bus *bus, const Gathering *gathering) {
    while (gathering->left > 0) {
        int r = sd_bus_process(bus, NULL);
        if (r == 0)
            r = sd_bus_wait(bus, UINT64_MAX);
        if (r < 0)
            return client_report(NULL, r);
    }
    return 0;
}

int backend_gather(sd_bus *bus, const cJSON *names, const BackendQuestion *question,
                   sd_bus_message **ret_replies) {
    size_t n = (size_t)cJSON_GetArraySize(names), i = 0;
    _cleanup_free_ Wanted *wanted = must(calloc(n + 1, sizeof(Wanted)));
    Gathering gathering = {.left = n};
    const cJSON *name;

    cJSON_ArrayForEach (name, names) {
        wanted[i] = (Wanted){.gathering = &gathering, .reply = &ret_replies[i]};
        int r = ask(bus, name->valuestring, question, &wanted[i++]);
        if (r != 0)
            return r;
    }
    return wait_for_all(bus, &gathering);
}

void backend_replies_free(sd_bus_message **replies, size_t n) {
    for (size_t i = 0; i < n; i++)
        sd_bus_message_unref(replies[i]);
    free(replies);
}

bool backend_reply_is_absent(sd_bus_message *reply) {
    const sd_bus_error *error = sd_bus_message_get_error(reply);

    return sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT) ||
           sd_bus_error_has_name(error, CLIENT_NAME ".Error.NoSuchBackend");
}

/* ---- properties ---- */

/* One whose daemon has gone away meanwhile is asked again, with patience. */
static int add_properties(sd_bus *bus, const char *name, sd_bus_message *reply, cJSON *list) {
    cJSON *backend = NULL;
    int r;

    if (backend_reply_is_absent(reply))
        return 0;
    r = sd_bus_message_is_method_error(reply, NULL) ? backend_properties(bus, name, &backend)
                                                    : client_read_properties(reply, &backend);
    if (r == 0)
        cJSON_AddItemToArray(list, backend);
    return r;
}

int backend_gather_properties(sd_bus *bus, const cJSON *names, cJSON **ret) {
    static const BackendQuestion question = {
        .interface = "org.freedesktop.DBus.Properties",
        .member = "GetAll",
        .argument = CLIENT_BACKEND,
    };
    size_t n = (size_t)cJSON_GetArraySize(names), i = 0;
    sd_bus_message **replies = must(calloc(n + 1, sizeof(sd_bus_message *)));
    _cleanup_json_ cJSON *list = must(cJSON_CreateArray());
    int r = backend_gather(bus, names, &question, replies);
    const cJSON *name;

    cJSON_ArrayForEach (name, names)
        if (r == 0)
            r = add_properties(bus, name->valuestring, replies[i++], list);
    backend_replies_free(replies, n);
    if (r == 0)
        *ret = TAKE_PTR(list);
    return r;
}
