/*
 * Maps memory for a device through VFIO's type 1 driver, again and again: the work whose kernel side the lab measures.
 *
 *   vfiomap -g GROUP -s BYTES -b 4K|THP|2M|1G -n CALLS [-w WARMUPS] [-t TRACING_ON]
 *
 * The memory is faulted in before the first map, so a map pins pages that are there. Each of the CALLS maps and unmaps
 * all of it, and a line a call goes to standard output: the time that the map's and the unmap's ioctl took
 * (CLOCK_MONOTONIC, nanoseconds). With -t, that file (tracefs' tracing_on) reads 1 only while a map's ioctl runs, so
 * that nothing else of the same function is in the trace. WARMUPS maps come first, untraced and not printed.
 *
 * The ioctls and their order are those of Documentation/driver-api/vfio.rst, "VFIO Usage Example".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

/* Above the interrupt window at 0xfee00000, which type 1 refuses to map over; a multiple of every page size. */
#define IOVA (UINT64_C(4) << 30)
#define TWO_MIB (UINT64_C(2) << 20)

struct backing {
	const char *name;
	uint64_t alignment;
	int flags;
	int advice;
};

static const struct backing backings[] = {
	{ "4K", 4096, 0, MADV_NOHUGEPAGE },
	{ "THP", TWO_MIB, 0, MADV_HUGEPAGE },
	{ "2M", TWO_MIB, MAP_HUGETLB | 21 << MAP_HUGE_SHIFT, 0 },
	{ "1G", UINT64_C(1) << 30, MAP_HUGETLB | 30 << MAP_HUGE_SHIFT, 0 },
};

static void die(const char *format, ...)
{
	int error = errno;
	va_list arguments;

	fputs("vfiomap: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "%s%s\n", error ? ": " : "", error ? strerror(error) : "");
	exit(1);
}

static uint64_t bytes(const char *text)
{
	char *end;
	uint64_t number, unit = 1;

	errno = 0;
	number = strtoull(text, &end, 10);
	switch (*end) {
	case 'K': unit = UINT64_C(1) << 10; end++; break;
	case 'M': unit = UINT64_C(1) << 20; end++; break;
	case 'G': unit = UINT64_C(1) << 30; end++; break;
	}
	if (end == text || *end || errno || !number || number > (UINT64_C(1) << 46) / unit) {
		errno = 0;
		die("%s is not a size such as 256M", text);
	}
	return number * unit;
}

/* Kilobytes of the mapping at `address` that transparent huge pages back, out of /proc/self/smaps. */
static uint64_t huge_kilobytes(const void *address)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	char line[512];
	uint64_t from, to, kilobytes = 0;
	int inside = 0;

	if (!smaps)
		die("/proc/self/smaps");
	while (fgets(line, sizeof line, smaps)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from <= (uintptr_t)address && (uintptr_t)address < to;
		else if (inside)
			sscanf(line, "AnonHugePages: %lu kB", &kilobytes);
	}
	fclose(smaps);
	return kilobytes;
}

static void *memory(uint64_t size, const struct backing *backing)
{
	/* hugetlb aligns by itself; for the others the part in front of the alignment is mapped too and left alone. */
	uint64_t slack = backing->flags ? 0 : backing->alignment;
	char *start = mmap(NULL, size + slack, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | backing->flags, -1, 0);

	if (start == MAP_FAILED)
		die("no %lu bytes of %s memory", size, backing->name);
	start += -(uintptr_t)start % backing->alignment;
	if (backing->advice && madvise(start, size, backing->advice))
		die("madvise for %s memory", backing->name);
	for (uint64_t offset = 0; offset < size; offset += 4096)
		start[offset] = 1;
	errno = 0;
	if (backing->advice == MADV_HUGEPAGE && huge_kilobytes(start) < size >> 10)
		die("only %lu of %lu kB are transparent huge pages: give the machine more memory",
		    huge_kilobytes(start), size >> 10);
	return start;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void trace(int file, const char *state)
{
	if (file >= 0 && write(file, state, 1) != 1)
		die("switching the tracer");
}

static int opened_container(const char *group_number)
{
	struct vfio_group_status status = { .argsz = sizeof status };
	char path[64];
	int container = open("/dev/vfio/vfio", O_RDWR), group;

	snprintf(path, sizeof path, "/dev/vfio/%s", group_number);
	group = open(path, O_RDWR);
	if (container < 0 || group < 0)
		die("opening /dev/vfio/vfio and %s", path);
	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status))
		die("state of %s", path);
	errno = 0;
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		die("%s is not viable: a device in it is bound to another driver", path);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		die("putting %s into a container", path);
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("choosing the type 1 IOMMU driver");
	return container;
}

int main(int argc, char **argv)
{
	const char *group = NULL, *page = "2M", *tracing_on = NULL;
	const struct backing *backing = NULL;
	uint64_t size = 0;
	long calls = 1, warmups = 0;
	int option, container, trace_file = -1;

	while ((option = getopt(argc, argv, "g:s:b:n:w:t:")) != -1) {
		switch (option) {
		case 'g': group = optarg; break;
		case 's': size = bytes(optarg); break;
		case 'b': page = optarg; break;
		case 'n': calls = atol(optarg); break;
		case 'w': warmups = atol(optarg); break;
		case 't': tracing_on = optarg; break;
		default: return 64;
		}
	}
	for (size_t i = 0; i < sizeof backings / sizeof *backings; i++)
		if (!strcasecmp(page, backings[i].name))
			backing = &backings[i];
	errno = 0;
	if (!group || !size || !backing || calls < 1 || warmups < 0)
		die("usage: vfiomap -g GROUP -s BYTES -b 4K|THP|2M|1G -n CALLS [-w WARMUPS] [-t TRACING_ON]");
	if (size % backing->alignment)
		die("%lu bytes are no multiple of %s pages", size, backing->name);
	if (tracing_on && (trace_file = open(tracing_on, O_WRONLY)) < 0)
		die("%s", tracing_on);
	trace(trace_file, "0");

	container = opened_container(group);
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof map,
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory(size, backing),
		.iova = IOVA,
		.size = size,
	};
	for (long call = -warmups; call < calls; call++) {
		struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof unmap, .iova = IOVA, .size = size };
		uint64_t start, mapped, between, unmapped;
		int failed;

		if (call >= 0)
			trace(trace_file, "1");
		start = now();
		failed = ioctl(container, VFIO_IOMMU_MAP_DMA, &map);
		mapped = now();
		if (call >= 0)
			trace(trace_file, "0");
		if (failed)
			die("map %ld", call);
		between = now();
		if (ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap))
			die("unmap %ld", call);
		unmapped = now();
		errno = 0;
		if (unmap.size != size)
			die("unmap %ld took back %llu of %lu bytes", call, (unsigned long long)unmap.size, size);
		if (call >= 0)
			printf("call %ld map_ns %lu unmap_ns %lu\n", call, mapped - start, unmapped - between);
	}
	if (fflush(stdout))
		die("standard output");
	return 0;
}
