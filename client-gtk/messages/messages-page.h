#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"

/* Friends and conversations of a backend of type messenger. */
#define LONGRUN_TYPE_MESSAGES_PAGE (messages_page_get_type())
G_DECLARE_FINAL_TYPE(MessagesPage, messages_page, LONGRUN, MESSAGES_PAGE, AdwBin)

/* Once. */
void messages_page_set_link(MessagesPage *self, DaemonLink *link);
