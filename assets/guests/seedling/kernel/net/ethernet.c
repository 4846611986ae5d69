// The lower half: frames, the loopback device, ARP (RFC 826), and the task that everything received goes through.
#include "lib/list.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/net.h"
#include "task/task.h"
#include "time/clock.h"

#define HEADER 14
#define QUEUE_MAX 64

struct packet { struct list node; u32 size; u8 bytes[HEADER + MTU]; };
static LIST(queue);
static u32 queued;
static struct spinlock queue_lock = SPINLOCK("network queue");
static WAIT_QUEUE(arrivals);
MUTEX(net_lock);
WAIT_QUEUE(net_changed);
u32 loopback_loss;

void net_receive(struct net_device *device, const u8 *frame, u32 size) {
    struct packet *packet = size <= sizeof packet->bytes ? kmalloc(sizeof *packet) : NULL;
    u64 flags = spin_lock(&queue_lock);
    bool room = packet && queued < QUEUE_MAX;
    if (room) {
        packet->size = size;
        memcpy(packet->bytes, frame, size);
        list_append(&queue, &packet->node);
        queued++;
        device->received++;
    } else device->dropped++;
    spin_unlock(&queue_lock, flags);
    if (room) wake_all(&arrivals);
    else kfree(packet);
}

static void loop_back(struct net_device *device, const u8 *frame, u32 size) {
    if (loopback_loss && device->sent % loopback_loss == 0) device->dropped++;
    else net_receive(device, frame, size);
}
struct net_device loopback = {"loopback", {0x02, 0x5E, 0xED, 0, 0, 1}, loop_back, 0, 0, 0}; // bit 1 of the first byte: ours to choose

void ethernet_send(u16 type, const u8 to[MAC_LENGTH], const void *payload, u32 size) {
    u8 frame[HEADER + MTU];
    if (size > MTU) return;
    memcpy(frame, to, MAC_LENGTH);
    memcpy(frame + 6, loopback.mac, MAC_LENGTH);
    put16(frame + 12, type);
    memcpy(frame + HEADER, payload, size);
    loopback.sent++;
    loopback.transmit(&loopback, frame, HEADER + size);
}

// ---- ARP

static struct { u32 address; u8 mac[MAC_LENGTH]; } neighbours[8];
static u32 neighbour_count;
static const u8 broadcast[MAC_LENGTH] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

static void arp_send(u16 operation, const u8 to[MAC_LENGTH], u32 address) {
    u8 packet[28];
    put16(packet, 1); // Ethernet
    put16(packet + 2, ETHERTYPE_IPV4);
    packet[4] = MAC_LENGTH;
    packet[5] = 4;
    put16(packet + 6, operation);
    memcpy(packet + 8, loopback.mac, MAC_LENGTH);
    put32(packet + 14, OUR_ADDRESS);
    memcpy(packet + 18, to, MAC_LENGTH);
    put32(packet + 24, address);
    ethernet_send(ETHERTYPE_ARP, operation == 1 ? broadcast : to, packet, sizeof packet);
}

bool arp_resolve(u32 address, u8 mac[MAC_LENGTH]) {
    for (u32 i = 0; i < MIN(neighbour_count, COUNT_OF(neighbours)); i++)
        if (neighbours[i].address == address) {
            memcpy(mac, neighbours[i].mac, MAC_LENGTH);
            return true;
        }
    static const u8 unknown[MAC_LENGTH];
    arp_send(1, unknown, address);
    return false;
}

void arp_receive(const u8 *packet, u32 size) {
    if (size < 28 || get16(packet) != 1 || get16(packet + 2) != ETHERTYPE_IPV4) return;
    u32 sender = get32(packet + 14), target = get32(packet + 24);
    bool known = false;
    for (u32 i = 0; i < MIN(neighbour_count, COUNT_OF(neighbours)); i++) known |= neighbours[i].address == sender;
    if (!known && target == OUR_ADDRESS) {
        u32 slot = neighbour_count++ % COUNT_OF(neighbours);
        neighbours[slot].address = sender;
        memcpy(neighbours[slot].mac, packet + 8, MAC_LENGTH);
    }
    if (get16(packet + 6) == 1 && target == OUR_ADDRESS) arp_send(2, packet + 8, sender);
}

// ---- the task

static void net_task(void *nothing) {
    (void)nothing;
    volatile bool waiting = false;
    for (;;) {
        u64 flags = spin_lock(&queue_lock);
        struct list *node = list_pop(&queue);
        if (node) queued--;
        spin_unlock(&queue_lock, flags);
        if (!node) {
            wait_for_ns(&arrivals, &waiting, 20000000); // a frame, or time for the timer
            mutex_lock(&net_lock);
            tcp_timer();
            mutex_unlock(&net_lock);
            continue;
        }
        struct packet *packet = CONTAINER_OF(node, struct packet, node);
        bool ours = !memcmp(packet->bytes, loopback.mac, MAC_LENGTH) || !memcmp(packet->bytes, broadcast, MAC_LENGTH);
        if (ours && packet->size >= HEADER) {
            mutex_lock(&net_lock);
            u16 type = get16(packet->bytes + 12);
            if (type == ETHERTYPE_ARP) arp_receive(packet->bytes + HEADER, packet->size - HEADER);
            else if (type == ETHERTYPE_IPV4) ip_receive(packet->bytes + HEADER, packet->size - HEADER);
            tcp_timer();
            mutex_unlock(&net_lock);
            wake_all(&net_changed);
        }
        kfree(packet);
    }
}

void net_init(void) {
    if (!task_create("net", net_task, NULL)) printf("net: no memory\n");
}

void net_print(void) {
    printf("%s: 10.0.0.1, %llu frames sent, %llu received, %llu lost\n", loopback.name, loopback.sent, loopback.received, loopback.dropped);
    for (u32 i = 0; i < MIN(neighbour_count, COUNT_OF(neighbours)); i++) {
        u32 a = neighbours[i].address;
        u8 *m = neighbours[i].mac;
        printf("  %u.%u.%u.%u is at %02x:%02x:%02x:%02x:%02x:%02x\n", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255, m[0], m[1], m[2], m[3], m[4], m[5]);
    }
    tcp_print();
}
