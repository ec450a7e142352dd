#pragma once

#include "tests/bus/fake-daemon.h"

/* The backends of the fake: what they are asked waits until the test answers. */

typedef enum FakeAskType {
    FAKE_CHECK,
    FAKE_POLL,
    FAKE_REQUEST,
    FAKE_FRIENDS,  /* LoadFriends, AddFriend */
    FAKE_MESSAGES, /* LoadMessages, SendMessage */
    FAKE_DONE,     /* RemoveFriend, DeleteMessage */
} FakeAskType;

typedef struct FakeAsk {
    FakeAskType type;
    char text[256]; /* what was asked for, in words */
    void *func, *arg;
    TAILQ_ENTRY(FakeAsk) link;
} FakeAsk;

/* Owned by the fake. */
Backend *fake_backend_add(FakeDaemon *f, const char *name, const char *type);

/* What is asked first; NULL when nothing is. */
const FakeAsk *fake_backend_first(FakeDaemon *f);
/* Answers that: error is ERROR_NONE for none. data: bool, FriendList, MessageList, body. */
void fake_backend_answer(FakeDaemon *f, ErrorCode error, const void *data);
