"""smpplib's client made strict: whole PDUs or none, and names that are checked under TLS."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which

import pytest

from ussd_gateway.simulators.pdus import Command, Pdu, cstring, read_pdu
from ussd_gateway.sms.smpp import client as module
from ussd_gateway.sms.smpp.client import LinkLost, Sequence, StrictClient

Serve = Callable[[socket.socket], None]


@contextmanager
def listening(serve: Serve, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    def run(server: socket.socket) -> None:
        with suppress(OSError), server.accept()[0] as plain:
            plain.settimeout(5)
            with tls.wrap_socket(plain, server_side=True) if tls else plain as line:
                serve(line)

    with socket.create_server(("localhost", 0)) as server:
        thread = threading.Thread(target=run, args=(server,), daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        thread.join(5)


@contextmanager
def connected(
    serve: Serve, tls: ssl.SSLContext | None = None, trust: ssl.SSLContext | None = None
) -> Iterator[StrictClient]:
    with listening(serve, tls) as port:
        client = StrictClient("localhost", port, trust)
        try:
            client.connect()
            yield client
        finally:
            client.close()


def let_in(line: socket.socket) -> None:
    bind = read_pdu(line)
    assert bind is not None
    line.sendall(bind.answered(body=cstring("smsc")).octets)


def test_a_pdu_that_comes_in_pieces_is_one() -> None:
    octets = Pdu(Command.ENQUIRE_LINK, 7).octets

    def serve(line: socket.socket) -> None:
        for octet in octets:
            line.sendall(bytes((octet,)))
            time.sleep(0.005)
        line.recv(1)

    with connected(serve) as client:
        pdu = client.read()
        assert pdu is not None
        assert (pdu.command, pdu.sequence) == ("enquire_link", 7)


def test_two_pdus_in_one_piece_are_two() -> None:
    both = Pdu(Command.ENQUIRE_LINK, 7).octets + Pdu(Command.ENQUIRE_LINK, 8).octets

    def serve(line: socket.socket) -> None:
        line.sendall(both)
        line.recv(1)

    with connected(serve) as client:
        read = [client.read() for _ in range(2)]
        assert [pdu.sequence for pdu in read if pdu is not None] == [7, 8]


def test_a_line_that_ends_in_the_middle_is_lost() -> None:
    with (
        connected(lambda line: line.sendall(Pdu(Command.ENQUIRE_LINK, 7).octets[:9])) as client,
        pytest.raises(LinkLost, match="closed by the SMSC"),
    ):
        client.read()


def test_what_is_written_after_the_end_is_lost() -> None:
    with connected(let_in) as client:
        assert client.log_in("gateway", "demo") == 0
        client.close()
        with pytest.raises(LinkLost):
            client.write(client.pdu("enquire_link"))
        with pytest.raises(LinkLost):
            client.readable(0.1)


def test_nothing_is_submitted_before_the_bind() -> None:
    def serve(line: socket.socket) -> None:
        line.recv(1)

    with connected(serve) as client, pytest.raises(LinkLost):
        client.write(client.pdu("submit_sm", destination_addr="254711000001"))


def test_many_threads_have_each_numbers_of_their_own() -> None:
    sequence = Sequence()
    given: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: given.extend(sequence.next_sequence() for _ in range(500))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(1, 4001))


def test_it_logs_nothing_of_what_it_sends() -> None:
    """Its library would, when it debugs: passwords and texts, in hex."""
    import logging

    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    ear = Ear()
    root = logging.getLogger()
    before = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        with connected(let_in) as client:
            client.log_in("gateway", "demo")
    finally:
        root.removeHandler(ear)
        root.setLevel(before)
    assert [line for line in heard if "PDU" in line or ">>" in line] == []
    assert logging.getLogger(module.__name__).level == logging.CRITICAL


# --- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """For `localhost`, signed by itself: a file with it, and one with its key."""
    openssl = which("openssl")
    if openssl is None:
        pytest.skip("openssl is not here")
    folder = tmp_path_factory.mktemp("tls")
    named, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-out", str(named), "-keyout", str(key)),
        ],
        check=True,
        capture_output=True,
    )
    return named, key


@pytest.fixture
def served(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


def test_under_tls_it_binds_and_reads(
    served: ssl.SSLContext, certificate: tuple[Path, Path]
) -> None:
    def serve(line: socket.socket) -> None:
        let_in(line)
        line.sendall(Pdu(Command.ENQUIRE_LINK, 7).octets + Pdu(Command.ENQUIRE_LINK, 8).octets)
        line.recv(1024)

    trust = ssl.create_default_context(cafile=str(certificate[0]))
    with connected(serve, served, trust) as client:
        assert client.log_in("gateway", "demo") == 0
        for number in (7, 8):
            assert client.readable(5)
            pdu = client.read()
            assert pdu is not None
            assert pdu.sequence == number
        client.write(client.pdu("enquire_link"))


def test_under_tls_an_smsc_that_nobody_vouches_for_is_left(served: ssl.SSLContext) -> None:
    with (
        pytest.raises(LinkLost, match="SSLCertVerificationError"),
        connected(let_in, served, ssl.create_default_context()),
    ):
        pass


def test_under_tls_an_smsc_of_another_name_is_left(
    served: ssl.SSLContext, certificate: tuple[Path, Path]
) -> None:
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    with listening(let_in, served) as port:
        client = StrictClient("127.0.0.1", port, trust)
        with pytest.raises(LinkLost, match="SSLCertVerificationError"):
            client.connect()
