#include "tests/unit/history-model.h"

/* clang-format off */
const char *const model_group_names[MODEL_GROUPS] = {"a", "b", "c", "d"};
const char *const model_resource_names[MODEL_RESOURCES] = {"disk", "gpu", "net"};
const char *const model_condition_names[MODEL_CONDITIONS] = {"near", "far"};
/* clang-format on */

/* ---- what they wait for ---- */

bool model_dooms(const Model *m, unsigned i, unsigned cause) {
    const ModelItem *item = &m->items[i];

    for (unsigned n = 0; n < item->n_needs; n++) {
        const ModelItem *on = &m->items[item->needs[n].on];
        if (item->needs[n].on == cause && on->phase == MODEL_ENDED &&
            !dependency_is_met(item->needs[n].kind, on->end))
            return true;
    }
    return false;
}

static bool is_doomed(const Model *m, unsigned i) {
    for (unsigned n = 0; n < m->items[i].n_needs; n++)
        if (model_dooms(m, i, m->items[i].needs[n].on))
            return true;
    return false;
}

static bool has_all_but_time(const Model *m, const ModelItem *item) {
    for (unsigned n = 0; n < item->n_needs; n++)
        if (m->items[item->needs[n].on].phase != MODEL_ENDED)
            return false;
    return item->condition == MODEL_NONE || m->holds[item->condition];
}

bool model_has_elapsed(const Model *m, unsigned i) {
    const ModelItem *item = &m->items[i];

    return item->is_series && item->phase == MODEL_WAITING && item->due > 0 &&
           item->due <= m->now && has_all_but_time(m, item);
}

static bool settle_one(Model *m, unsigned i) {
    ModelItem *item = &m->items[i];
    ModelPhase before = item->phase;

    if (item->phase == MODEL_WAITING && is_doomed(m, i)) {
        item->phase = MODEL_ENDED;
        item->end = TASK_SKIPPED;
    } else if (item->phase == MODEL_WAITING && !item->is_series && has_all_but_time(m, item) &&
               item->due <= m->now) {
        item->phase = MODEL_QUEUED;
        item->due = 0;
    } else if (item->phase == MODEL_QUEUED && !has_all_but_time(m, item))
        item->phase = MODEL_WAITING;
    return item->phase != before;
}

void model_settle(Model *m) {
    for (bool again = true; again;) {
        again = false;
        for (unsigned i = 0; i < m->n; i++)
            again = settle_one(m, i) || again;
    }
}

bool model_waits_for(const Model *m, unsigned on, unsigned i) {
    const ModelItem *from = &m->items[on];

    if (on == i)
        return true;
    if (from->phase == MODEL_ENDED)
        return false;
    for (unsigned n = 0; n < from->n_needs; n++)
        if (model_waits_for(m, from->needs[n].on, i))
            return true;
    for (unsigned c = 0; c < m->n; c++)
        if (m->items[c].parent == on && model_waits_for(m, c, i))
            return true;
    return false;
}

/* ---- tokens ---- */

static bool is_plain(const ModelItem *item) {
    for (unsigned r = 0; r < MODEL_RESOURCES; r++)
        if (item->wants[r] > 0)
            return false;
    return true;
}

static bool share(const ModelItem *a, const ModelItem *b) {
    for (unsigned r = 0; r < MODEL_RESOURCES; r++)
        if (a->wants[r] > 0 && b->wants[r] > 0)
            return true;
    return false;
}

static bool want_the_same(const ModelItem *a, const ModelItem *b) {
    return memcmp(a->wants, b->wants, sizeof(a->wants)) == 0;
}

/* Whether the item gets its tokens while others have theirs and `other` too, who may be NULL. */
static bool fits(const Model *m, const ModelItem *item, const ModelItem *other, bool empty) {
    for (unsigned r = 0; r < MODEL_RESOURCES; r++) {
        uint64_t used = empty ? 0 : m->used[r];
        if (item->wants[r] > 0 &&
            used + (other ? other->wants[r] : 0) + item->wants[r] > m->capacity[r])
            return false;
    }
    return true;
}

/* ---- order ---- */

static bool comes_before(const Model *m, unsigned a, unsigned b) {
    int32_t pa = m->items[a].priority, pb = m->items[b].priority;

    return pa != pb ? pa > pb : a < b;
}

static bool is_full(const ModelGroup *g) {
    return g->max_parallel > 0 && g->running >= g->max_parallel;
}

static bool is_open(const ModelGroup *g) {
    return !g->paused && !is_full(g);
}

/* Nobody queued of the group comes before it; with_same: nobody who wants the same tokens. */
static bool is_first(const Model *m, unsigned i, bool with_same) {
    for (unsigned k = 0; k < m->n; k++)
        if (m->items[k].phase == MODEL_QUEUED && m->items[k].group == m->items[i].group &&
            comes_before(m, k, i) && (!with_same || want_the_same(&m->items[k], &m->items[i])))
            return false;
    return true;
}

static bool was_passed_by(const Model *m, unsigned i) {
    for (unsigned k = i + 1; k < m->n; k++)
        if (m->items[k].phase == MODEL_RUNNING && m->items[k].group == m->items[i].group &&
            m->items[k].priority <= m->items[i].priority)
            return true;
    return false;
}

static bool has_plain(const Model *m, unsigned group) {
    for (unsigned i = 0; i < m->n; i++)
        if (m->items[i].phase == MODEL_QUEUED && m->items[i].group == group &&
            is_plain(&m->items[i]))
            return true;
    return false;
}

/* ---- what a start may not do ---- */

static const char *limit_fault(const Model *m, const ModelItem *item) {
    const ModelGroup *g = &m->groups[item->group];

    if (item->phase != MODEL_QUEUED)
        return "it is not ready";
    if (g->paused)
        return "its group is paused";
    if (is_full(g))
        return "its group is full";
    if (m->max_parallel > 0 && m->running >= m->max_parallel)
        return "there is no slot";
    return fits(m, item, NULL, false) ? NULL : "there are not tokens enough";
}

/* u comes before i in the group, and could have started. */
static bool could_have_started(const Model *m, unsigned u) {
    if (is_plain(&m->items[u]))
        return true;
    if (!fits(m, &m->items[u], NULL, false))
        return false;
    for (unsigned v = 0; v < m->n; v++)
        if (v != u && m->items[v].phase == MODEL_QUEUED && comes_before(m, v, u) &&
            share(&m->items[v], &m->items[u]))
            return false;
    return true;
}

/* v comes before i, and i takes away what v waits for. */
static bool takes_from(const Model *m, unsigned i, unsigned v) {
    const ModelItem *from = &m->items[v], *to = &m->items[i];
    const ModelGroup *g = &m->groups[from->group];

    if (g->paused || !share(from, to) || !fits(m, from, NULL, true))
        return false;
    if (is_full(g))
        return is_first(m, v, true) && was_passed_by(m, v);
    return is_first(m, v, false) && !fits(m, from, to, false);
}

static const char *order_fault(const Model *m, unsigned i) {
    for (unsigned k = 0; k < m->n; k++) {
        if (k == i || m->items[k].phase != MODEL_QUEUED || !comes_before(m, k, i))
            continue;
        if (m->items[k].group == m->items[i].group && could_have_started(m, k))
            return "another one of its group comes first";
        if (takes_from(m, i, k))
            return "it takes tokens for which another one waits, who comes first";
    }
    return NULL;
}

static const char *turn_fault(const Model *m, unsigned i) {
    const ModelGroup *mine = &m->groups[m->items[i].group];

    for (unsigned g = 0; g < MODEL_GROUPS; g++) {
        const ModelGroup *other = &m->groups[g];
        bool before = other->turn != mine->turn ? other->turn < mine->turn : other < mine;
        if (before && is_open(other) && has_plain(m, g))
            return "it is the turn of another group";
    }
    return mine->waited > MODEL_GROUPS ? "its group had to wait for too long" : NULL;
}

/* ---- starting nothing ---- */

static const char *idle_fault(const Model *m) {
    unsigned first = MODEL_NONE;

    if (m->max_parallel > 0 && m->running >= m->max_parallel)
        return NULL;
    for (unsigned i = 0; i < m->n; i++) {
        const ModelItem *item = &m->items[i];
        const ModelGroup *g = &m->groups[item->group];
        if (item->phase != MODEL_QUEUED || g->paused || !fits(m, item, NULL, true))
            continue;
        if (is_plain(item) && is_open(g))
            return "there are a slot and a task that wants no tokens";
        if (!is_plain(item) && (is_open(g) || was_passed_by(m, i)) &&
            (first == MODEL_NONE || comes_before(m, i, first)))
            first = i;
    }
    if (first == MODEL_NONE || is_full(&m->groups[m->items[first].group]))
        return NULL;
    return fits(m, &m->items[first], NULL, false) ? "the first who wants tokens could have them"
                                                  : NULL;
}

const char *model_start_fault(const Model *m, unsigned i) {
    if (i == MODEL_NONE)
        return idle_fault(m);
    return limit_fault(m, &m->items[i]) ?: order_fault(m, i) ?: turn_fault(m, i);
}

void model_start(Model *m, unsigned i) {
    ModelItem *item = &m->items[i];

    for (unsigned g = 0; g < MODEL_GROUPS; g++) {
        bool waits = g != item->group && is_open(&m->groups[g]) && has_plain(m, g);
        m->groups[g].waited = waits ? m->groups[g].waited + 1 : 0;
    }
    item->phase = MODEL_RUNNING;
    for (unsigned r = 0; r < MODEL_RESOURCES; r++)
        m->used[r] += item->wants[r];
    m->groups[item->group].running++;
    m->groups[item->group].turn = ++m->last_turn;
    m->running++;
}

void model_release(Model *m, unsigned i) {
    for (unsigned r = 0; r < MODEL_RESOURCES; r++)
        m->used[r] -= m->items[i].wants[r];
    m->groups[m->items[i].group].running--;
    m->running--;
}
