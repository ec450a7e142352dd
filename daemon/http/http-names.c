#include "daemon/http/http-names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <uthash.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"

/* Also those that nobody waits for any more. */
#define THREADS_MAX 64
#define STACK_SIZE (512 * KIB)

#define NAMES_MAX 4096
#define ADDRESSES_MAX 8

/* There is no way to learn from getaddrinfo(3) how long an answer holds. */
#define GOOD_USEC (60 * USEC_PER_SEC)
#define BAD_USEC (1 * USEC_PER_SEC)

/* Between the loop and its threads; the last one frees it. */
typedef struct Shared {
    pthread_mutex_t lock;
    unsigned refs;
    bool closed; /* the loop is gone */
    int event_fd;
    STAILQ_HEAD(, Lookup) done;
} Shared;

typedef struct Lookup {
    STAILQ_ENTRY(Lookup) link;
    Shared *shared;
    int error;
    char *addresses; /* when error is 0 */
    char name[];
} Lookup;

typedef enum NameState {
    NAME_QUEUED, /* there is no thread for it yet */
    NAME_ASKED,
    NAME_KNOWN, /* until it expires */
} NameState;

typedef struct Name {
    UT_hash_handle hh;
    TAILQ_ENTRY(Name) link; /* of the queue */
    NameState state;
    int error;
    char *addresses;
    uint64_t expires; /* CLOCK_MONOTONIC */
    char name[];
} Name;

struct HttpNames {
    Shared *shared;
    sd_event_source *source;
    HttpNamesFunc func;
    void *userdata;
    Name *names;
    TAILQ_HEAD(, Name) queue;
    unsigned threads;
};

/* ---- in a thread ---- */

static void lookup_free(Lookup *l) {
    free(l->addresses);
    free(l);
}

static void shared_unlock_unref(Shared *s) {
    bool last = --s->refs == 0;
    Lookup *l;

    pthread_mutex_unlock(&s->lock);
    if (!last)
        return;
    while ((l = STAILQ_FIRST(&s->done))) {
        STAILQ_REMOVE_HEAD(&s->done, link);
        lookup_free(l);
    }
    close_fd(s->event_fd);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static bool print_address(FILE *f, const struct sockaddr *a, bool first) {
    char text[INET6_ADDRSTRLEN];
    const void *address;

    if (a->sa_family == AF_INET)
        address = &((const struct sockaddr_in *)a)->sin_addr;
    else if (a->sa_family == AF_INET6)
        address = &((const struct sockaddr_in6 *)a)->sin6_addr;
    else
        return false;
    if (!inet_ntop(a->sa_family, address, text, sizeof(text)))
        return false;
    fprintf(f, a->sa_family == AF_INET6 ? "%s[%s]" : "%s%s", first ? "" : ",", text);
    return true;
}

static char *print_addresses(const struct addrinfo *list) {
    char *text = NULL;
    size_t size = 0;
    unsigned n = 0;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return NULL;
    for (const struct addrinfo *a = list; a && n < ADDRESSES_MAX; a = a->ai_next)
        if (print_address(f, a->ai_addr, n == 0))
            n++;
    if (fclose(f) != 0 || n == 0) {
        free(text);
        return NULL;
    }
    return text;
}

static int error_of(int eai) {
    switch (eai) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
        return -ENOENT;
    case EAI_AGAIN:
    case EAI_FAIL:
        return -EAGAIN;
    case EAI_MEMORY:
        return -ENOMEM;
    default:
        return -EIO;
    }
}

static void resolve(Lookup *l) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    int r = getaddrinfo(l->name, NULL, &hints, &list);

    if (r != 0) {
        l->error = error_of(r);
        return;
    }
    l->addresses = print_addresses(list);
    l->error = l->addresses ? 0 : -ENOENT;
    freeaddrinfo(list);
}

static void *thread(void *arg) {
    Lookup *l = arg;
    Shared *s = l->shared;

    resolve(l);
    pthread_mutex_lock(&s->lock);
    if (s->closed)
        lookup_free(l);
    else {
        STAILQ_INSERT_TAIL(&s->done, l, link);
        (void)eventfd_write(s->event_fd, 1);
    }
    shared_unlock_unref(s);
    return NULL;
}

/* ---- the threads ---- */

/* No signal of the program is theirs. */
static int create_thread(Lookup *l) {
    sigset_t all, old;
    pthread_attr_t attr;
    pthread_t id;
    int r;

    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    r = pthread_create(&id, &attr, thread, l);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return -r;
}

static int ask(HttpNames *n, const char *name) {
    Lookup *l = calloc(1, sizeof(Lookup) + strlen(name) + 1);
    int r;

    if (!l)
        return -ENOMEM;
    strcpy(l->name, name);
    l->shared = n->shared;
    pthread_mutex_lock(&n->shared->lock);
    n->shared->refs++;
    pthread_mutex_unlock(&n->shared->lock);
    r = create_thread(l);
    if (r == 0) {
        n->threads++;
        return 0;
    }
    pthread_mutex_lock(&n->shared->lock);
    shared_unlock_unref(n->shared);
    lookup_free(l);
    return r;
}

/* ---- what is known ---- */

static void name_free(HttpNames *n, Name *name) {
    if (name->state == NAME_QUEUED)
        TAILQ_REMOVE(&n->queue, name, link);
    HASH_DEL(n->names, name);
    free(name->addresses);
    free(name);
}

static void know(Name *name, int error, char *addresses) {
    name->state = NAME_KNOWN;
    name->error = error;
    name->addresses = addresses;
    name->expires = clock_usec(CLOCK_MONOTONIC) + (error < 0 ? BAD_USEC : GOOD_USEC);
}

static void ask_next(HttpNames *n) {
    while (n->threads < THREADS_MAX && !TAILQ_EMPTY(&n->queue)) {
        Name *name = TAILQ_FIRST(&n->queue);

        TAILQ_REMOVE(&n->queue, name, link);
        name->state = NAME_ASKED;
        int r = ask(n, name->name);
        if (r == 0)
            continue;
        know(name, r == -ENOMEM ? r : -EAGAIN, NULL);
        n->func(n->userdata, name->name);
    }
}

static void learn(HttpNames *n, Lookup *l) {
    Name *name;

    n->threads--;
    HASH_FIND_STR(n->names, l->name, name);
    if (!name || name->state != NAME_ASKED)
        return;
    know(name, l->error, TAKE_PTR(l->addresses));
    n->func(n->userdata, l->name);
}

static int on_done(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
    HttpNames *n = userdata;
    eventfd_t count;
    Lookup *l;

    (void)eventfd_read(fd, &count);
    for (;;) {
        pthread_mutex_lock(&n->shared->lock);
        l = STAILQ_FIRST(&n->shared->done);
        if (l)
            STAILQ_REMOVE_HEAD(&n->shared->done, link);
        pthread_mutex_unlock(&n->shared->lock);
        if (!l)
            break;
        learn(n, l);
        lookup_free(l);
    }
    ask_next(n);
    return 0;
}

static void forget_known(HttpNames *n) {
    Name *name, *next;

    HASH_ITER (hh, n->names, name, next) {
        if (name->state == NAME_KNOWN)
            name_free(n, name);
    }
}

static int add_name(HttpNames *n, const char *text) {
    Name *name;

    if (HASH_COUNT(n->names) >= NAMES_MAX)
        forget_known(n);
    if (HASH_COUNT(n->names) >= NAMES_MAX)
        return -EAGAIN;
    name = calloc(1, sizeof(Name) + strlen(text) + 1);
    if (!name)
        return -ENOMEM;
    strcpy(name->name, text);
    HASH_ADD_STR(n->names, name, name);
    if (n->threads < THREADS_MAX) {
        int r = ask(n, text);
        name->state = NAME_ASKED;
        if (r < 0)
            name_free(n, name);
        return r == -ENOMEM || r == 0 ? r : -EAGAIN;
    }
    TAILQ_INSERT_TAIL(&n->queue, name, link);
    return 0;
}

int http_names_find(HttpNames *n, const char *text, const char **ret) {
    Name *name;

    HASH_FIND_STR(n->names, text, name);
    if (name && name->state == NAME_KNOWN && name->expires <= clock_usec(CLOCK_MONOTONIC)) {
        name_free(n, name);
        name = NULL;
    }
    if (!name)
        return add_name(n, text);
    if (name->state != NAME_KNOWN)
        return 0;
    if (name->error < 0)
        return name->error;
    *ret = name->addresses;
    return 1;
}

/* ---- life ---- */

static Shared *shared_new(void) {
    Shared *s = calloc(1, sizeof(Shared));

    if (!s)
        return NULL;
    s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->event_fd < 0) {
        free(s);
        return NULL;
    }
    s->refs = 1;
    pthread_mutex_init(&s->lock, NULL);
    STAILQ_INIT(&s->done);
    return s;
}

int http_names_new(HttpNames **ret, sd_event *event, int64_t priority, HttpNamesFunc func,
                   void *userdata) {
    HttpNames *n = calloc(1, sizeof(HttpNames));
    int r;

    if (!n)
        return -ENOMEM;
    TAILQ_INIT(&n->queue);
    n->func = func;
    n->userdata = userdata;
    n->shared = shared_new();
    r = n->shared ? sd_event_add_io(event, &n->source, n->shared->event_fd, EPOLLIN, on_done, n)
                  : -ENOMEM;
    if (r >= 0)
        r = sd_event_source_set_priority(n->source, priority);
    if (r < 0) {
        http_names_free(n);
        return r;
    }
    (void)sd_event_source_set_description(n->source, "http-names");
    *ret = n;
    return 0;
}

HttpNames *http_names_free(HttpNames *n) {
    Name *name, *next;

    if (!n)
        return NULL;
    sd_event_source_disable_unref(n->source);
    HASH_ITER (hh, n->names, name, next) {
        name_free(n, name);
    }
    if (n->shared) {
        pthread_mutex_lock(&n->shared->lock);
        n->shared->closed = true;
        shared_unlock_unref(n->shared);
    }
    free(n);
    return NULL;
}
