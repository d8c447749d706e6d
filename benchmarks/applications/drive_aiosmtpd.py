"""aiosmtpd takes mail: good ones, refused ones, too large ones, nonsense, a client that goes away in the middle."""

import signal
import smtplib
import socket
from email.message import EmailMessage

from _driven import Program, free_port, say

port = free_port()
program = Program("-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", "-s", "2000", "-d")
program.opens(port)

mail = EmailMessage()
mail["From"], mail["To"], mail["Subject"] = "a@example.com", "b@example.com", "hello"
for text in ("hello", "x" * 3_000, "é"):
    mail.set_content(text)
    with smtplib.SMTP("127.0.0.1", port) as client:
        try:
            say(client.send_message(mail))
        except (smtplib.SMTPException, OSError) as error:
            say(type(error).__name__)
with smtplib.SMTP("127.0.0.1", port) as client:
    for line in ("NONSENSE", "MAIL FROM:<>", "RCPT TO:<b@example.com>", "VRFY b", "EXPN b", "AUTH PLAIN x", "STARTTLS"):
        say(line, client.docmd(line)[0])
for begun in (b"EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<a@b.c>\r\nDATA\r\nhalf", b"\xff\xff\r\n", b"x" * 5_000):
    with socket.create_connection(("127.0.0.1", port)) as one:
        say(one.recv(100)[:3])
        one.sendall(begun)
        one.settimeout(2)
        try:
            say(one.recv(1000)[:3])
        except OSError as error:
            say(type(error).__name__)
program.end(signal.SIGINT)
