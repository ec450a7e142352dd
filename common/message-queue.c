#include "common/message-queue.h"

#include <errno.h>
#include <stdlib.h>

int message_check(const char *text) {
    size_t size = strnlen(text, MESSAGE_MAX + 1);

    if (memchr(text, '\n', size))
        return -EINVAL;
    return size > MESSAGE_MAX ? -EMSGSIZE : 0;
}

int message_queue_put(MessageQueue *q, const char *text) {
    size_t size = strlen(text);
    Message *m;

    if (q->n >= MESSAGE_QUEUE_MAX)
        return -ENOBUFS;
    m = malloc(sizeof(Message) + size + 1);
    if (!m)
        return -ENOMEM;
    m->next = NULL;
    m->size = size;
    memcpy(m->text, text, size + 1);
    if (q->last)
        q->last->next = m;
    else
        q->first = m;
    q->last = m;
    q->n++;
    return 0;
}

Message *message_queue_take(MessageQueue *q) {
    Message *m = q->first;

    if (!m)
        return NULL;
    q->first = m->next;
    if (!q->first)
        q->last = NULL;
    q->n--;
    m->next = NULL;
    return m;
}

void message_queue_clear(MessageQueue *q) {
    for (Message *m; (m = message_queue_take(q));)
        free(m);
}
