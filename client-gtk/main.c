#include <glib/gi18n.h>
#include <locale.h>

#include "client-gtk/longrun-app.h"

int main(int argc, char *argv[]) {
    g_autoptr(LongrunApp) app = NULL;

    setlocale(LC_ALL, "");
    bindtextdomain(GETTEXT_PACKAGE, LOCALEDIR);
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);

    app = longrun_app_new();
    return g_application_run(G_APPLICATION(app), argc, argv);
}
