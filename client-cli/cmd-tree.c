#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"
#include "client-cli/table.h"
#include "client-cli/task-list.h"
#include "client-cli/task-text.h"
#include "common/clock.h"

/* longrun tree */

#define DEPTH_MAX 64 /* levels that are drawn; what is below stands at the last one */

const Option tree_options[] = {
    LAST_OPTIONS,
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

typedef struct Node Node;

struct Node {
    uint64_t id;
    cJSON *task; /* not owned */
    Node *parent, *first, *last, *next;
    unsigned depth;
    bool more; /* ended children were left out */
};

typedef struct Tree {
    sd_bus *bus; /* not owned */
    TaskQuery query;
    Filter filter;
    cJSON *tasks; /* array, sorted once all are there */
    cJSON *more;  /* ids of those of which ended children were left out */
    Node *nodes;  /* sorted by id */
    size_t n_nodes;
    Node root; /* above all of them */
} Tree;

static void tree_done(Tree *t) {
    cJSON_Delete(t->tasks);
    cJSON_Delete(t->more);
    free(t->nodes);
}

/* ---- which tasks there are ---- */

/* The children of a task: those that have ended, or all. */
static int fetch_children(Tree *t, uint64_t id, bool all) {
    bool more = false;
    int r = 0;

    t->filter.parent = id;
    /* In this order nothing gets lost in between: what was active and has ended is found twice. */
    if (all)
        r = task_list_fetch(&t->query, false, t->tasks, &more);
    if (r == 0)
        r = task_list_fetch(&t->query, true, t->tasks, &more);
    if (r == 0 && more)
        cJSON_AddItemToArray(t->more, must(json_new_u64(id)));
    return r;
}

static int fetch_below(Tree *t, uint64_t id) {
    const cJSON *task;
    cJSON *root;
    int r = client_task_properties(t->bus, id, &root);

    if (r < 0)
        return r;
    cJSON_AddItemToArray(t->tasks, root);
    /* The array grows at its end meanwhile. */
    for (task = root; task && r == 0; task = task->next)
        r = fetch_children(t, json_u64(task, "id"), true);
    return r;
}

static int compare_ids(const void *a, const void *b) {
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* Whether some of its children may have ended. What has not begun has had none, but for series, and
 * for what somebody gave children before. */
static bool may_have_had_children(const cJSON *task, const uint64_t *parents, size_t n) {
    TaskState state = task_state_from_string(json_string(task, "state"));
    uint64_t id = json_u64(task, "id");

    return (state != TASK_WAITING && state != TASK_QUEUED) || task_is_series(task) ||
           bsearch(&id, parents, n, sizeof(uint64_t), compare_ids);
}

static int fetch_active(Tree *t) {
    _cleanup_free_ uint64_t *parents = NULL;
    const cJSON *task, *last;
    size_t n = 0;
    bool more;
    int r;

    r = task_list_fetch(&t->query, false, t->tasks, &more);
    if (r != 0 || !t->tasks->child)
        return r;
    parents = must(calloc((size_t)cJSON_GetArraySize(t->tasks), sizeof(uint64_t)));
    cJSON_ArrayForEach (task, t->tasks)
        parents[n++] = json_u64(task, "parent");
    qsort(parents, n, sizeof(uint64_t), compare_ids);
    last = t->tasks->child->prev;
    for (task = t->tasks->child; r == 0; task = task->next) {
        if (may_have_had_children(task, parents, n))
            r = fetch_children(t, json_u64(task, "id"), false);
        if (task == last)
            break;
    }
    return r;
}

/* ---- how they hang together ---- */

static Node *find(const Tree *t, uint64_t id) {
    return bsearch(&id, t->nodes, t->n_nodes, sizeof(Node), compare_ids);
}

static void hang(Node *parent, Node *n) {
    n->parent = parent;
    if (parent->last)
        parent->last->next = n;
    else
        parent->first = n;
    parent->last = n;
}

static Node *next_in_tree(Node *n) {
    if (n->first)
        return n->first;
    while (n && !n->next)
        n = n->parent;
    return n ? n->next : NULL;
}

/* A parent is older than its children, and so has a lower id. */
static void build(Tree *t) {
    cJSON *task;

    t->tasks = task_list_sort(t->tasks);
    t->nodes = must(calloc((size_t)cJSON_GetArraySize(t->tasks) + 1, sizeof(Node)));
    cJSON_ArrayForEach (task, t->tasks) {
        Node *n = &t->nodes[t->n_nodes];
        Node *parent = find(t, json_u64(task, "parent"));
        *n = (Node){.id = json_u64(task, "id"), .task = task};
        t->n_nodes++;
        hang(parent ?: &t->root, n);
        n->depth = parent ? parent->depth + 1 : 0;
    }
    cJSON_ArrayForEach (task, t->more) {
        Node *n = find(t, json_to_u64(task));
        if (n)
            n->more = true;
    }
}

/* ---- what is printed ---- */

typedef struct Lines {
    const char *pass, *none, *child, *last_child;
} Lines;

/* What stands before the label. */
static void put_lines(FILE *f, const Node *n, const Lines *lines) {
    const Node *path[DEPTH_MAX]; /* from the task upwards */
    size_t depth = 0;

    for (; n->depth > 0 && depth < DEPTH_MAX; n = n->parent)
        path[depth++] = n;
    while (depth-- > 0) {
        bool more = path[depth]->next;
        if (depth > 0)
            fputs(more ? lines->pass : lines->none, f);
        else
            fputs(more ? lines->child : lines->last_child, f);
    }
}

static char *label_cell(const Node *n, const Lines *lines, uint64_t now) {
    _cleanup_free_ char *reason = task_reason(n->task, now);
    char *text = NULL;
    size_t size;
    FILE *f = must(open_memstream(&text, &size));

    put_lines(f, n, lines);
    fputs(json_string(n->task, "label"), f);
    if (*reason)
        fprintf(f, " (%s)", reason);
    if (n->more)
        fputs(" (more children have ended: --all)", f);
    fclose(f);
    return must(text);
}

static void print_table(Tree *t) {
    static const Lines drawn = {"│  ", "   ", "├─ ", "└─ "}, plain = {"|  ", "   ", "|- ", "`- "};
    static const Column columns[] = {
        {"ID", true}, {"STATE", false}, {"PROGRESS", true}, {"TIME", true}, {"LABEL", false}};
    Table table = TABLE_INIT(columns);
    const Lines *lines = output_is_utf8() ? &drawn : &plain;
    uint64_t now = clock_usec(CLOCK_REALTIME);
    char buf[FORMAT_MAX];

    for (Node *n = t->root.first; n; n = next_in_tree(n)) {
        _cleanup_free_ char *label = label_cell(n, lines, now);
        const char *state = json_string(n->task, "state");
        snprintf(buf, sizeof(buf), "%" PRIu64, n->id);
        table_add(&table, buf, NULL);
        table_add(&table, state, state_colour(state));
        table_add(&table, task_percent(buf, n->task), NULL);
        table_add(&table, task_run_time(buf, n->task, now), NULL);
        table_add(&table, label, NULL);
    }
    table_print(&table);
    table_done(&table);
}

static int print_json(Tree *t) {
    _cleanup_json_ cJSON *list = must(cJSON_CreateArray());

    for (Node *n = t->root.first; n; n = next_in_tree(n)) {
        cJSON *task = cJSON_DetachItemViaPointer(t->tasks, n->task);
        cJSON_AddNumberToObject(task, "depth", n->depth);
        cJSON_AddBoolToObject(task, "more-children", n->more);
        cJSON_AddItemToArray(list, task);
    }
    return json_print(list);
}

int cmd_tree(const Invocation *inv) {
    static const char *const shown[] = {
        "id",     "parent", "state", "progress",   "done",        "unit",     "label",
        "reason", "due-at", "every", "started-at", "finished-at", "calendar", NULL};
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_(tree_done)
        Tree t = {.tasks = must(cJSON_CreateArray()), .more = must(cJSON_CreateArray())};
    uint64_t id = 0;
    int r;

    r = filter_parse(inv, STATES_ANY, &t.filter);
    if (r == 0)
        r = task_list_parse_last(inv, &t.query.last);
    if (r == 0 && inv->n_args > 0)
        r = parse_id(inv->command, inv->args[0], &id);
    if (r == 0)
        r = client_connect(&bus);
    if (r != 0)
        return r;
    t.bus = t.query.bus = bus;
    t.query.filter = &t.filter;
    t.query.fields = invocation_has(inv, OPT_JSON) ? NULL : shown;
    r = id > 0 ? fetch_below(&t, id) : fetch_active(&t);
    if (r != 0)
        return r;
    build(&t);
    if (invocation_has(inv, OPT_JSON))
        return print_json(&t);
    if (t.n_nodes > 0)
        print_table(&t);
    else
        puts("No active tasks.");
    return EXIT_SUCCESS;
}
