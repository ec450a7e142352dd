#include <stdio.h>

#include "client-cli/backend.h"
#include "client-cli/chat.h"
#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"
#include "client-cli/table.h"

/* longrun chat: what to do, and the friends. */

const Option chat_options[] = {
    {OPT_LINES, 'n', "lines", "N", "read: the last N messages (50)"},
    {OPT_FOLLOW, 'f', "follow", NULL, "read: go on with what comes"},
    {OPT_JSON, 'j', "json", NULL, "print JSON; with --follow, or of lines, an object a line"},
    OPTIONS_END,
};

/* ---- calls ---- */

int chat_new_call(sd_bus *bus, const char *backend, const char *member, sd_bus_message **ret) {
    return backend_new_call(bus, backend, CLIENT_MESSENGER, member, ret);
}

int chat_append(sd_bus_message *call, const char *what, const char *text) {
    int r = text_check(what, text);

    if (r != 0)
        return r;
    r = sd_bus_message_append_basic(call, 's', text);
    return r < 0 ? client_report(NULL, r) : 0;
}

/* One that changes something; ret may be NULL. However long the server takes: the daemon knows when
 * to give up. */
static int send_with_text(const Invocation *inv, sd_bus *bus, const char *member, const char *what,
                          sd_bus_message **ret) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r = chat_new_call(bus, inv->args[0], member, &call);

    if (r == 0)
        r = chat_append(call, what, inv->args[2]);
    return r != 0 ? r : client_send(bus, call, CLIENT_FOREVER, ret);
}

/* ---- friends ---- */

static void print_friends(const cJSON *friends) {
    static const Column columns[] = {{"FRIEND", false}, {"STATE", false}, {"LAST SEEN", false}};
    Table table = TABLE_INIT(columns);
    const cJSON *friend;
    char when[TIME_MAX];

    cJSON_ArrayForEach (friend, friends) {
        _cleanup_free_ char *name = chat_text(json_string(friend, "username"));
        bool online = json_is_true(friend, "online");
        table_add(&table, name, COLOUR_BOLD);
        table_add(&table, online ? "online" : "offline",
                  online ? state_colour("succeeded") : COLOUR_DIM);
        table_add(&table, format_stamp(when, json_u64(friend, "last-seen")), NULL);
    }
    table_print(&table);
    table_done(&table);
}

static int friends(const Invocation *inv, sd_bus *bus) {
    _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
    _cleanup_json_ cJSON *list = NULL;
    int r = chat_new_call(bus, inv->args[0], "LoadFriends", &call);

    if (r == 0)
        r = client_ask(bus, call, CLIENT_FOREVER, &reply);
    if (r != 0)
        return r;
    r = json_read_bus(reply, &list);
    if (r < 0)
        return client_report(NULL, r);
    if (invocation_has(inv, OPT_JSON))
        return json_print(list);
    if (list->child)
        print_friends(list);
    else
        printf("There are no friends; \"longrun chat %s add NAME\" makes one.\n", inv->args[0]);
    return EXIT_SUCCESS;
}

static int add(const Invocation *inv, sd_bus *bus) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    _cleanup_json_ cJSON *friend = NULL;
    int r = send_with_text(inv, bus, "AddFriend", "the name", &reply);

    if (r != 0)
        return r;
    r = json_read_bus(reply, &friend);
    if (r < 0)
        return client_report(NULL, r);
    if (invocation_has(inv, OPT_JSON))
        return json_print(friend);
    _cleanup_free_ char *name = chat_text(json_string(friend, "username"));
    printf("Added %s\n", name);
    return EXIT_SUCCESS;
}

/* ---- what is taken away ---- */

static int take_away(const Invocation *inv, sd_bus *bus, const char *member, const char *key,
                     const char *title) {
    _cleanup_json_ cJSON *object = must(cJSON_CreateObject());
    int r = send_with_text(inv, bus, member, key, NULL);

    if (r != 0)
        return r;
    cJSON_AddStringToObject(object, key, inv->args[2]);
    if (invocation_has(inv, OPT_JSON))
        return json_print(object);
    _cleanup_free_ char *name = chat_text(inv->args[2]);
    printf("%s %s\n", title, name);
    return EXIT_SUCCESS;
}

static int remove_friend(const Invocation *inv, sd_bus *bus) {
    return take_away(inv, bus, "RemoveFriend", "username", "Removed");
}

static int delete_message(const Invocation *inv, sd_bus *bus) {
    return take_away(inv, bus, "DeleteMessage", "id", "Deleted message");
}

/* ---- which of them ---- */

typedef struct Verb {
    const char *name, *synopsis;
    size_t min_args, max_args; /* with backend and name */
    int (*run)(const Invocation *inv, sd_bus *bus);
} Verb;

static const Verb verbs[] = {
    {"friends", "", 1, 2, friends},
    {"read", " PEER", 3, 3, chat_read},
    {"send", " PEER TEXT… or -", 4, SIZE_MAX, chat_send},
    {"add", " NAME", 3, 3, add},
    {"remove", " NAME", 3, 3, remove_friend},
    {"delete", " ID", 3, 3, delete_message},
};

static const Verb *find_verb(const char *name) {
    for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
        if (streq(verbs[i].name, name))
            return &verbs[i];
    return NULL;
}

static int check(const Invocation *inv, const Verb *verb) {
    static const OptionId of_read[] = {OPT_LINES, OPT_FOLLOW};

    if (inv->n_args < verb->min_args)
        return usage_error(inv->command, "something is missing: longrun chat BACKEND %s%s",
                           verb->name, verb->synopsis);
    if (inv->n_args > verb->max_args)
        return usage_error(inv->command, "too many arguments: longrun chat BACKEND %s%s",
                           verb->name, verb->synopsis);
    for (size_t i = 0; i < ELEMENTSOF(of_read) && verb->run != chat_read; i++)
        if (invocation_has(inv, of_read[i]))
            return usage_error(inv->command, "--%s goes with read alone",
                               option_name(inv->command, of_read[i]));
    return 0;
}

int cmd_chat(const Invocation *inv) {
    const char *name = inv->n_args > 1 ? inv->args[1] : "friends";
    const Verb *verb = find_verb(name);
    _cleanup_bus_ sd_bus *bus = NULL;
    int r;

    if (!verb)
        return usage_error(inv->command,
                           "there is no \"%s\": friends, read, send, add, remove or delete", name);
    r = check(inv, verb);
    if (r == 0)
        r = client_connect(&bus);
    return r != 0 ? r : verb->run(inv, bus);
}
