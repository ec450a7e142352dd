#include "client-gtk/tasks/task-pages.h"

#include "client-gtk/base/daemon-error.h"
#include "client-gtk/tasks/task-item.h"

struct TaskPages {
    TaskPagesFunc func;
    gpointer userdata;
    DbusManager *manager; /* NULL: gone */
    GCancellable *cancellable;
    gboolean is_busy[_TASK_PAGE_MAX];
};

/* What a call needs when its answer comes; the pages live then, unless it was cancelled. */
typedef struct Call {
    TaskPages *pages;
    TaskPageSort sort;
    guint64 top;
} Call;

static const char *const state_fields[] = {"id", "state", NULL};
static const char *const rate_fields[] = {"id", "progress", "phase", "expected-end-time", NULL};

TaskPages *task_pages_new(TaskPagesFunc func, gpointer userdata) {
    TaskPages *self = g_new0(TaskPages, 1);

    self->func = func;
    self->userdata = userdata;
    self->cancellable = g_cancellable_new();
    return self;
}

void task_pages_free(TaskPages *self) {
    g_cancellable_cancel(self->cancellable);
    g_object_unref(self->cancellable);
    g_clear_object(&self->manager);
    g_free(self);
}

void task_pages_set_manager(TaskPages *self, DbusManager *manager) {
    task_pages_cancel(self);
    g_set_object(&self->manager, manager);
}

void task_pages_cancel(TaskPages *self) {
    g_cancellable_cancel(self->cancellable);
    g_object_unref(self->cancellable);
    self->cancellable = g_cancellable_new();
    for (int i = 0; i < _TASK_PAGE_MAX; i++)
        self->is_busy[i] = FALSE;
}

gboolean task_pages_is_busy(TaskPages *self, TaskPageSort sort) {
    return self->is_busy[sort];
}

gboolean task_pages_is_free(TaskPages *self, TaskPageSort sort) {
    return self->manager && !self->is_busy[sort];
}

static void on_page(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autofree Call *call = userdata;
    g_autoptr(GVariant) tasks = NULL;
    g_autoptr(GError) error = NULL;
    guint64 next;
    TaskPages *self = call->pages;

    if (!dbus_manager_call_list_tasks_finish(DBUS_MANAGER(source), &tasks, &next, result, &error)) {
        if (daemon_error_is_cancelled(error))
            return;
        self->is_busy[call->sort] = FALSE;
        self->func(self->userdata, call->sort, NULL, error);
        return;
    }
    TaskPage page = {.sort = call->sort, .top = call->top, .bottom = next, .tasks = tasks};
    self->is_busy[call->sort] = FALSE;
    self->func(self->userdata, call->sort, &page, NULL);
}

static const char *const *fields_of(TaskPageSort sort) {
    switch (sort) {
    case TASK_PAGE_FIRST:
    case TASK_PAGE_SHOWN:
        return task_item_fields;
    case TASK_PAGE_RATES:
        return rate_fields;
    default:
        return state_fields;
    }
}

void task_pages_ask(TaskPages *self, TaskPageSort sort, const TaskQuery *query, guint64 top,
                    guint limit) {
    Call *call = g_new(Call, 1);
    guint64 cursor = top == G_MAXUINT64 ? 0 : top;
    guint states = sort == TASK_PAGE_RATES ? TASK_STATES_AT_WORK : 0;

    *call = (Call){.pages = self, .sort = sort, .top = top};
    self->is_busy[sort] = TRUE;
    dbus_manager_call_list_tasks(self->manager,
                                 task_query_page(query, states, cursor, limit, fields_of(sort)),
                                 self->cancellable, on_page, call);
}
