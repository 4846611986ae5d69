// IPv4 (RFC 791, without fragments), ICMP echo (RFC 792) and UDP (RFC 768).
#include "lib/string.h"
#include "net/net.h"
#include "task/task.h"
#include "time/clock.h"

#define IP_HEADER 20
#define SECOND 1000000000ull

u16 checksum(const void *data, u32 size, u32 sum) {
    const u8 *bytes = data;
    for (u32 i = 0; i + 1 < size; i += 2) sum += get16(bytes + i);
    if (size & 1) sum += (u32)bytes[size - 1] << 8;
    while (sum >> 16) sum = (sum & 0xFFFF) + (sum >> 16);
    return (u16)~sum;
}

u32 pseudo_header_sum(u32 from, u32 to, u8 protocol, u32 size) { return (from >> 16) + (from & 0xFFFF) + (to >> 16) + (to & 0xFFFF) + protocol + size; }

void ip_send(u32 to, u8 protocol, const void *payload, u32 size) {
    static u16 identification;
    u8 packet[MTU], mac[MAC_LENGTH];
    if (size > MTU - IP_HEADER) return;
    if (!arp_resolve(to, mac)) return; // whoever sends again has the answer by then
    memset(packet, 0, IP_HEADER);
    packet[0] = 0x45; // version 4, five words of header
    put16(packet + 2, IP_HEADER + size);
    put16(packet + 4, identification++);
    put16(packet + 6, 0x4000); // do not fragment
    packet[8] = 64;
    packet[9] = protocol;
    put32(packet + 12, OUR_ADDRESS);
    put32(packet + 16, to);
    put16(packet + 10, checksum(packet, IP_HEADER, 0));
    memcpy(packet + IP_HEADER, payload, size);
    ethernet_send(ETHERTYPE_IPV4, mac, packet, IP_HEADER + size);
}

// ---- ICMP echo

static struct { u16 sequence; volatile bool answered; } ping;

static void icmp_receive(u32 from, const u8 *message, u32 size) {
    if (size < 8 || size > MTU - IP_HEADER || checksum(message, size, 0)) return;
    if (message[0] == 8) { // echo request: the same back, as type 0
        u8 answer[MTU];
        memcpy(answer, message, size);
        answer[0] = 0;
        put16(answer + 2, 0);
        put16(answer + 2, checksum(answer, size, 0));
        ip_send(from, PROTOCOL_ICMP, answer, size);
    } else if (message[0] == 0 && get16(message + 6) == ping.sequence) ping.answered = true;
}

u64 net_ping(u32 address, u32 size) {
    u8 message[MTU - IP_HEADER];
    size = MIN(MAX(size, 8), sizeof message);
    mutex_lock(&net_lock);
    ping.sequence++;
    ping.answered = false;
    memset(message, 0, size);
    message[0] = 8;
    put16(message + 4, 0x5EED);
    put16(message + 6, ping.sequence);
    for (u32 i = 8; i < size; i++) message[i] = (u8)i;
    put16(message + 2, checksum(message, size, 0));
    mutex_unlock(&net_lock);
    u64 start = clock_ns();
    for (int tries = 0; tries < 50; tries++) { // the first one goes lost while ARP asks
        mutex_lock(&net_lock);
        ip_send(address, PROTOCOL_ICMP, message, size);
        mutex_unlock(&net_lock);
        if (wait_for_ns(&net_changed, &ping.answered, SECOND / 50)) return MAX(clock_ns() - start, 1);
    }
    return 0;
}

// ---- UDP

static struct { u16 port; volatile bool there; u32 size; u8 data[MTU]; } mailbox; // of whoever waits for a datagram

void udp_send(u32 to, u16 from_port, u16 to_port, const void *data, u32 size) {
    u8 datagram[MTU];
    if (size > MTU - IP_HEADER - 8) return;
    put16(datagram, from_port);
    put16(datagram + 2, to_port);
    put16(datagram + 4, 8 + size);
    put16(datagram + 6, 0);
    memcpy(datagram + 8, data, size);
    u16 sum = checksum(datagram, 8 + size, pseudo_header_sum(OUR_ADDRESS, to, PROTOCOL_UDP, 8 + size));
    put16(datagram + 6, sum ? sum : 0xFFFF); // 0 would mean "no checksum"
    ip_send(to, PROTOCOL_UDP, datagram, 8 + size);
}

static void udp_receive(u32 from, const u8 *datagram, u32 size) {
    if (size < 8 || get16(datagram + 4) < 8 || get16(datagram + 4) > size) return;
    size = get16(datagram + 4);
    if (get16(datagram + 6) && checksum(datagram, size, pseudo_header_sum(from, OUR_ADDRESS, PROTOCOL_UDP, size))) return;
    u16 from_port = get16(datagram), to_port = get16(datagram + 2);
    if (to_port == PORT_ECHO) {
        if (from_port != PORT_ECHO) udp_send(from, PORT_ECHO, from_port, datagram + 8, size - 8); // two echoes would never end
    } else if (to_port == mailbox.port && !mailbox.there) {
        mailbox.size = size - 8;
        memcpy(mailbox.data, datagram + 8, size - 8);
        mailbox.there = true;
    }
}

s64 net_udp_exchange(u32 address, u16 port, u16 to_port, const void *data, u32 size, void *answer, u32 answer_size) {
    mutex_lock(&net_lock);
    mailbox.port = port;
    mailbox.there = false;
    mutex_unlock(&net_lock);
    for (int tries = 0; tries < 10; tries++) {
        mutex_lock(&net_lock);
        udp_send(address, port, to_port, data, size);
        mutex_unlock(&net_lock);
        if (!wait_for_ns(&net_changed, &mailbox.there, SECOND / 10)) continue;
        u32 count = MIN(mailbox.size, answer_size);
        memcpy(answer, mailbox.data, count);
        return count;
    }
    return -1;
}

void ip_receive(const u8 *packet, u32 size) {
    if (size < IP_HEADER || packet[0] >> 4 != 4) return;
    u32 header = (packet[0] & 15u) * 4, total = get16(packet + 2);
    if (header < IP_HEADER || total < header || total > size || checksum(packet, header, 0)) return;
    if (get16(packet + 6) & 0x3FFF) return; // a fragment
    if (get32(packet + 16) != OUR_ADDRESS) return;
    u32 from = get32(packet + 12);
    switch (packet[9]) {
    case PROTOCOL_ICMP: icmp_receive(from, packet + header, total - header); break;
    case PROTOCOL_UDP: udp_receive(from, packet + header, total - header); break;
    case PROTOCOL_TCP: tcp_receive_segment(from, packet + header, total - header); break;
    }
}
