// Tests of the network over its loopback, with and without loss.
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/net.h"
#include "test/selftest.h"

/** Sends `size` bytes through the TCP echo and compares what comes back. */
static const char *echo(u64 size) {
    struct tcp *tcp = tcp_connect(OUR_ADDRESS, PORT_ECHO);
    if (!tcp) return "no TCP connection to the echo";
    u8 *out = kmalloc(size), *in = kmalloc(size);
    const char *wrong = out && in ? NULL : "no memory";
    for (u64 i = 0; !wrong && i < size; i++) out[i] = (u8)(i * 31 >> 3);
    u64 sent = 0, received = 0;
    while (!wrong && received < size) { // a piece at a time: both sides have room for 4 KiB
        u64 count = MIN(size - sent, 2048);
        if (count && tcp_send(tcp, out + sent, count) != (s64)count) wrong = "the connection broke";
        sent += count;
        while (!wrong && received < sent) {
            s64 got = tcp_receive(tcp, in + received, size - received);
            if (got <= 0) wrong = "the echo ended too early";
            else received += (u64)got;
        }
    }
    if (!wrong && memcmp(out, in, size)) wrong = "the echo is not what was sent";
    tcp_close(tcp);
    kfree(out);
    kfree(in);
    return wrong;
}

const char *test_net(char *remark, size_t size) {
    // RFC 1071's own example.
    static const u8 example[] = {0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7};
    if (checksum(example, 8, 0) != (u16)~0xDDF2) return "the Internet checksum";
    u64 ns = net_ping(OUR_ADDRESS, 64);
    if (!ns || !net_ping(OUR_ADDRESS, 1400)) return "no answer to a ping";
    u8 answer[64];
    if (net_udp_exchange(OUR_ADDRESS, 5000, PORT_ECHO, "datagram", 8, answer, sizeof answer) != 8 || memcmp(answer, "datagram", 8)) return "the UDP echo";
    if (tcp_connect(OUR_ADDRESS, 9)) return "a TCP connection to a port where nobody listens";
    const char *wrong = echo(20000);
    if (wrong) return wrong;
    u64 lost = loopback.dropped;
    loopback_loss = 5; // every fifth frame
    wrong = echo(6000);
    loopback_loss = 0;
    lost = loopback.dropped - lost;
    if (!wrong && lost == 0) wrong = "no frame was lost: the test tested nothing";
    format(remark, size, "ping %llu us, UDP, TCP 20000 bytes; 6000 bytes with %llu of the frames lost", ns / 1000, lost);
    return wrong;
}
