#!/usr/bin/python3
"""The page of messages: friends, conversations, and what one does there.

    LONGRUN_GTK=PATH LONGRUND=PATH LONGRUN=PATH TEST_BACKEND=PATH test_gtk_messages.py
"""

import re

from messages_testing import MessagesTestCase, main

MARKUP = '<b>bold</b> &amp; <a href="x">"quoted"</a> %s'
NEW_OF_BERT = re.compile("^bert, .*, New messages$")


class Conversations(MessagesTestCase):
    def test_send_and_receive(self):
        window = self.open_page()
        self.status("Connected to backend")
        self.choose("anna")
        window.find(None, "No Messages Yet")
        window.find("push button", "Send", sensitive=False)
        self.send("Are you there?")
        self.status("Message sent ✓")
        self.shows(("You:", "Are you there?"))
        self.server.message("anna", "Yes")
        self.shows(("You:", "Are you there?"), ("anna:", "Yes"))
        self.assertEqual(self.entry().text(), "")
        # What we say is on the other side.
        sent, received = [row.find_all("label", name)[0].extents()[0] for row, name in zip(
            window.find("list", "Messages").find_all("list item"), ("You:", "anna:"))]
        self.assertGreater(sent, received)
        # Nothing is nothing to send.
        self.write("  \t")
        window.find("push button", "Send", sensitive=False)
        window.press(self.entry())
        window.screen.key("Return")
        self.status("Connected to backend")
        self.assertEqual(len(self.requests(method="POST")), 1)
        # To somebody who is offline.
        self.choose("bert")
        self.send("Call me")
        self.status("Message sent ⏳")
        window.find("label", "⏳")
        self.server.friend("bert", True)
        window.find("label", "✓")

    def test_sending(self):
        """While it is under way: the button says so, nothing else is sent, and one can go on writing. What was not sent
        is what one writes, again."""
        window = self.open_page()
        self.choose("anna")
        self.server.fault("/api/messages", "hang", method="POST", count=1)
        self.send("one")
        window.find("push button", "Sending...", sensitive=False)
        self.write("two")
        window.find("push button", "Sending...", sensitive=False)
        self.server.give_up()
        self.status(re.compile("^Send failed: "))
        window.settles(lambda: self.entry().text() == "one two", "the text to be there again")
        window.click("push button", "Send")
        self.shows(("You:", "one two"))

    def test_text_is_text(self):
        texts = [MARKUP, "two\nlines", "שלום 😀", "x" * 1999]
        for text in texts:
            self.server.message("anna", text)
        self.server.message("anna", "y" * 60000)
        self.server.friend("<i>eva</i> & %s")
        self.server.message("<i>eva</i> & %s", "hi")
        window = self.open_page()
        self.choose("<i>eva</i> & %s")
        self.shows(("<i>eva</i> & %s:", "hi"))
        self.choose("anna")
        self.shows(*[("anna:", text) for text in texts], ("anna:", "y" * 2000 + "…"))
        window.click("push button", "Show All")
        self.assertEqual(window.find("frame", "anna").find_all("text")[0].text().replace("\n", ""), "y" * 60000)

    def test_copy_and_delete(self):
        window = self.open_page()
        self.server.message("anna", MARKUP)
        self.server.message("anna", "two")
        self.choose("anna")
        self.shows(("anna:", MARKUP), ("anna:", "two"))
        self.choose_of_menu(window.find("label", MARKUP), "Copy")
        window.press(self.entry())
        window.screen.key("ctrl+v")
        window.settles(lambda: self.entry().text() == MARKUP, "the text to be copied")
        self.choose_of_menu(window.find("label", MARKUP), "Delete…")
        window.click("push button", re.compile("Delete$"))
        self.shows(("anna:", "two"))


class Friends(MessagesTestCase):
    def add(self, name):
        self.window.find("text", "Name of a friend to add").set_text(name)
        self.window.click("push button", "Add Friend")

    def test_add_and_remove(self):
        window = self.open_page()
        self.add("nobody")
        self.status("Failed: no such user: nobody")
        window.find("label", "no such user: nobody")  # at the field
        self.assertEqual(window.find("text", "Name of a friend to add").text(), "nobody")
        self.add("carla")
        self.status("Added carla!")
        self.friend("carla")
        window.gone("label", "no such user: nobody")
        self.assertEqual(window.find("text", "Name of a friend to add").text(), "")
        self.choose("bert")
        self.choose_of_menu(self.friend("bert").find_all("label", "bert")[0], "Remove Friend…")
        window.click("push button", re.compile("Remove$"))
        window.gone("list item", re.compile("^bert"))
        self.status("Removed bert")

    def test_choice(self):
        """Of those that one runs through, nothing is loaded. Another client looks at somebody: what is new then is marked
        here, until one looks."""
        for name in "fghij":
            self.server.friend(name)
            self.server.message(name, "of " + name)
        window = self.open_page()
        self.choose("anna")
        self.server.wait_requests(1, "/api/messages")
        for _ in range(6):
            window.screen.key("Down")
        self.shows(("j:", "of j"))
        self.assertEqual({re.search("peer=([^&]*)", r["query"])[1] for r in self.requests()}, {"anna", "j"})
        self.server.message("bert", "one")
        self.others_load("bert")
        self.server.message("bert", "two")
        self.others_load("bert")
        window.find("list item", NEW_OF_BERT)
        self.choose("bert")
        self.shows(("bert:", "one"), ("bert:", "two"))
        window.gone("list item", NEW_OF_BERT)


if __name__ == "__main__":
    main()
