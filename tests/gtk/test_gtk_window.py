#!/usr/bin/python3
"""The window: it comes up, shows its pages, and ends.

    LONGRUN_GTK=PATH LONGRUND=PATH LONGRUN=PATH test_gtk_window.py
"""

from gtk_testing import WindowTestCase, main

PAGES = ["Tasks", "Backends", "Messages"]


class PagesTest(WindowTestCase):
    def test_each_has_a_tab(self):
        window = self.open()
        window.find("page tab", "Tasks", selected=True)
        self.assertEqual([tab.name for tab in window.look().find_all("page tab")], PAGES)
        for page in reversed(PAGES):
            window.click("page tab", page)
            window.find("page tab", page, selected=True)


if __name__ == "__main__":
    main()
