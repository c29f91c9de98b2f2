// driver.cpp looks like libcuda.so.1 to who loads it and runs kernels on the
// processor, at once. It is stricter than a driver: pointers, contexts, limits and
// parameter lists are checked, fresh memory is NaN, writes past the end are found.
#include "fibers.h"
#include "host_shim.h"
#include "registry.h"
#include <chrono>
#include <thread>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#define API extern "C" __attribute__((visibility("default"))) int

typedef uint64_t u64;

enum {
	OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, INVALID_DEVICE = 101, INVALID_CONTEXT = 201, NO_BINARY = 209,
	INVALID_PTX = 218, UNSUPPORTED_PTX = 222, INVALID_HANDLE = 400, NOT_FOUND = 500, NOT_READY = 600, ILLEGAL_ADDRESS = 700,
	LAUNCH_FAILED = 719, CAPTURE_UNSUPPORTED = 900
};

static std::recursive_mutex lock;

// what the machine is like; changed by fakecuda_reset
struct config {
	int devices = 1, version = 13000, major = 9, minor = 0, steal = 0;
	u64 memory = 1ull << 30;
} machine;

struct failure { int nth, code, seen; };
static std::map<std::string, failure> failures;
static int sticky;
static bool initialized;
static int retained;
static thread_local void *current_context;
static char context_object;

struct allocation { size_t size; char *base; };
static std::map<u64, allocation> live; // device memory
static std::map<u64, size_t> pinned;
static u64 used, peak;
static long counts[8]; // launches, uploads, downloads, bytes up, bytes down, allocations, frees, graph launches

const size_t GUARD = 256;
const unsigned char CANARY = 0xa5;

static void complain(const char *what, const char *name = "") { fprintf(stderr, "fakecuda: %s%s%s\n", what, *name ? ": " : "", name); }

// enter is the beginning of every call: an injected failure, if it is its turn.
static int enter(const char *name) {
	if (sticky) return sticky;
	auto f = failures.find(name);
	if (f != failures.end() && ++f->second.seen == f->second.nth) {
		if (f->second.code < 0) { // it hangs for so many tenths of a second
			std::this_thread::sleep_for(std::chrono::milliseconds(-100 * f->second.code));
			return OK;
		}
		if (f->second.code >= 700 && f->second.code < 800) sticky = f->second.code;
		return f->second.code;
	}
	return OK;
}

static void configure(const char *s) {
	failures.clear();
	sticky = 0;
	machine = config();
	for (const char *at = s; at && *at;) {
		char name[64];
		int a, b, used = 0;
		if (sscanf(at, "%63[A-Za-z0-9_]:%d:%d%n", name, &a, &b, &used) >= 3) failures[name] = failure{a, b, 0};
		else if (sscanf(at, "devices=%d%n", &a, &used) >= 1) machine.devices = a;
		else if (sscanf(at, "version=%d%n", &a, &used) >= 1) machine.version = a;
		else if (sscanf(at, "capability=%d%n", &a, &used) >= 1) machine.major = a / 10, machine.minor = a % 10;
		else if (sscanf(at, "megabytes=%d%n", &a, &used) >= 1) machine.memory = (u64)a << 20;
		else if (sscanf(at, "steal=%d%n", &a, &used) >= 1) machine.steal = a;
		else { complain("cannot read the configuration", at); abort(); }
		at += used;
		if (*at == ',') at++;
	}
}

#define ENTER                                       \
	std::lock_guard<std::recursive_mutex> guard(lock); \
	if (int e = enter(__func__)) return e;
#define NEED_INIT if (!initialized) return NOT_INITIALIZED;
#define NEED_CONTEXT \
	NEED_INIT if (!retained || current_context != &context_object) { complain("no context on this thread", __func__); return INVALID_CONTEXT; }

static size_t marks_left(); // events and graphs
static void forget_marks();

// fakecuda_reset forgets failures, counters and memory, which devices must not be
// using; s is "function:nth:code" or
// "devices=0", "version=11020", "capability=75", "megabytes=64", with commas.
API fakecuda_reset(const char *s) {
	std::lock_guard<std::recursive_mutex> guard(lock);
	configure(s);
	for (auto &a : live) free(a.second.base); // of devices that died
	live.clear();
	pinned.clear();
	forget_marks();
	used = peak = 0;
	memset(counts, 0, sizeof counts);
	return OK;
}
// fakecuda_set changes the settings alone, under devices that are in use.
API fakecuda_set(const char *s) {
	std::lock_guard<std::recursive_mutex> guard(lock);
	configure(s);
	return OK;
}
// fakecuda_counts writes the 8 counters, then live bytes, peak, live pieces, of which
// events and graphs are some.
API fakecuda_counts(long *out) {
	std::lock_guard<std::recursive_mutex> guard(lock);
	memcpy(out, counts, sizeof counts);
	out[8] = used, out[9] = peak, out[10] = live.size() + pinned.size() + marks_left();
	return OK;
}
// the environment is read when the library is loaded, after the maps above are made
static const int from_environment = [] {
	if (const char *s = getenv("FAKECUDA")) configure(s);
	return 0;
}();

static void nothing(int) {}
API cuInit(unsigned) {
	ENTER
	if (machine.steal) signal(machine.steal, nothing);
	initialized = true;
	return OK;
}
API cuDriverGetVersion(int *v) { ENTER *v = machine.version; return OK; }
API cuDeviceGetCount(int *n) { ENTER NEED_INIT *n = machine.devices; return OK; }
API cuDeviceGet(int *d, int ordinal) {
	ENTER NEED_INIT
	if (ordinal < 0 || ordinal >= machine.devices) return INVALID_DEVICE;
	*d = ordinal;
	return OK;
}
API cuDeviceGetName(char *s, int n, int d) { ENTER NEED_INIT snprintf(s, n, "Fake GPU %d", d); return OK; }
API cuDeviceGetAttribute(int *v, int attribute, int) {
	ENTER NEED_INIT
	switch (attribute) {
	case 16: *v = 4; return OK; // multiprocessors
	case 75: *v = machine.major; return OK;
	case 76: *v = machine.minor; return OK;
	}
	return INVALID_VALUE;
}
API cuDeviceTotalMem_v2(size_t *n, int) { ENTER NEED_INIT *n = machine.memory; return OK; }
API cuDevicePrimaryCtxSetFlags_v2(int, unsigned) { ENTER NEED_INIT return OK; }
API cuDevicePrimaryCtxRetain(void **c, int) { ENTER NEED_INIT retained++; *c = &context_object; return OK; }
API cuDevicePrimaryCtxRelease_v2(int) {
	ENTER NEED_INIT
	if (!retained) return INVALID_CONTEXT;
	retained--;
	return OK;
}
API cuCtxSetCurrent(void *c) { ENTER NEED_INIT current_context = c; return OK; }
API cuCtxSynchronize() { ENTER NEED_CONTEXT return OK; }
API cuGetErrorName(int e, const char **s) {
	static thread_local char text[32];
	snprintf(text, sizeof text, "FAKE_ERROR_%d", e);
	*s = text;
	return OK;
}
API cuGetErrorString(int e, const char **s) { return cuGetErrorName(e, s); }

// memory

static bool intact() {
	for (auto &a : live)
		for (size_t i = 0; i < GUARD; i++)
			if ((unsigned char)a.second.base[i] != CANARY || (unsigned char)a.second.base[GUARD + a.second.size + i] != CANARY) return false;
	return true;
}
static bool inside(u64 p, size_t n) {
	auto a = live.upper_bound(p);
	if (a == live.begin()) return false;
	--a;
	return p >= a->first && p + n <= a->first + a->second.size;
}

API cuMemGetInfo_v2(size_t *free, size_t *total) { ENTER NEED_CONTEXT *total = machine.memory; *free = machine.memory - used; return OK; }
API cuMemAlloc_v2(u64 *p, size_t n) {
	ENTER NEED_CONTEXT
	if (n == 0) return INVALID_VALUE;
	if (used + n > machine.memory) return OUT_OF_MEMORY;
	char *base = (char *)aligned_alloc(256, (n + 2 * GUARD + 255) / 256 * 256);
	memset(base, CANARY, GUARD);
	memset(base + GUARD, 0xff, n); // NaN
	memset(base + GUARD + n, CANARY, GUARD);
	*p = (u64)base + GUARD;
	live[*p] = allocation{n, base};
	used += n;
	if (used > peak) peak = used;
	counts[5]++;
	return OK;
}
API cuMemFree_v2(u64 p) {
	ENTER NEED_CONTEXT
	auto a = live.find(p);
	if (a == live.end()) { complain("free of what was not allocated"); return INVALID_VALUE; }
	if (!intact()) { complain("a write past the end of memory was found at a free"); return ILLEGAL_ADDRESS; }
	used -= a->second.size;
	counts[6]++;
	free(a->second.base);
	live.erase(a);
	return OK;
}
API cuMemHostAlloc(void **p, size_t n, unsigned) {
	ENTER NEED_CONTEXT
	*p = aligned_alloc(256, (n + 255) / 256 * 256);
	memset(*p, 0xff, n);
	pinned[(u64)*p] = n;
	return OK;
}
API cuMemFreeHost(void *p) {
	ENTER NEED_CONTEXT
	if (!pinned.erase((u64)p)) return INVALID_VALUE;
	free(p);
	return OK;
}
static bool is_pinned(u64 p, size_t n) {
	auto a = pinned.upper_bound(p);
	if (a == pinned.begin()) return false;
	--a;
	return p + n <= a->first + a->second;
}

// streams, events and graphs

struct stream { bool capturing; std::vector<std::function<int()>> graph; };
struct graph { std::vector<std::function<int()>> work; };
static std::map<void *, bool> streams, graphs, events;
static size_t marks_left() { return graphs.size() + events.size(); }
static void forget_marks() { // of devices that died
	for (auto &g : graphs) delete (graph *)g.first;
	for (auto &e : events) free(e.first);
	graphs.clear();
	events.clear();
}

// enqueue runs work, or keeps it if the stream is being captured.
static int enqueue(void *s, std::function<int()> work) {
	if (s && !streams.count(s)) return INVALID_HANDLE;
	stream *st = (stream *)s;
	if (st && st->capturing) { st->graph.push_back(work); return OK; }
	return work();
}
static bool capturing() {
	for (auto &s : streams)
		if (((stream *)s.first)->capturing) return true;
	return false;
}
#define NOT_CAPTURING if (capturing()) return CAPTURE_UNSUPPORTED;

API cuStreamCreate(void **s, unsigned) { ENTER NEED_CONTEXT *s = new stream(); streams[*s] = true; return OK; }
API cuStreamDestroy_v2(void *s) { ENTER NEED_CONTEXT if (!streams.erase(s)) return INVALID_HANDLE; delete (stream *)s; return OK; }
API cuStreamSynchronize(void *s) { ENTER NEED_CONTEXT NOT_CAPTURING if (s && !streams.count(s)) return INVALID_HANDLE; return OK; }
API cuStreamBeginCapture_v2(void *s, int) {
	ENTER NEED_CONTEXT
	if (!streams.count(s)) return INVALID_HANDLE;
	((stream *)s)->capturing = true;
	((stream *)s)->graph.clear();
	return OK;
}
API cuStreamEndCapture(void *s, void **g) {
	ENTER NEED_CONTEXT
	if (!streams.count(s) || !((stream *)s)->capturing) return INVALID_HANDLE;
	((stream *)s)->capturing = false;
	*g = new graph{((stream *)s)->graph};
	graphs[*g] = true;
	return OK;
}
API cuGraphInstantiateWithFlags(void **e, void *g, u64) {
	ENTER NEED_CONTEXT
	if (!graphs.count(g)) return INVALID_HANDLE;
	*e = new graph(*(graph *)g);
	graphs[*e] = true;
	return OK;
}
API cuGraphLaunch(void *e, void *s) {
	ENTER NEED_CONTEXT
	if (!graphs.count(e)) return INVALID_HANDLE;
	counts[7]++;
	for (auto &w : ((graph *)e)->work)
		if (int r = enqueue(s, w)) return r;
	return OK;
}
static int drop(void *g) { if (!graphs.erase(g)) return INVALID_HANDLE; delete (graph *)g; return OK; }
API cuGraphExecDestroy(void *g) { ENTER NEED_CONTEXT return drop(g); }
API cuGraphDestroy(void *g) { ENTER NEED_CONTEXT return drop(g); }
API cuEventCreate(void **e, unsigned) { ENTER NEED_CONTEXT *e = malloc(1); events[*e] = false; return OK; }
API cuEventRecord(void *e, void *) { ENTER NEED_CONTEXT if (!events.count(e)) return INVALID_HANDLE; events[e] = true; return OK; }
API cuEventQuery(void *e) { ENTER NEED_CONTEXT return events.count(e) ? OK : INVALID_HANDLE; }
API cuEventSynchronize(void *e) { ENTER NEED_CONTEXT NOT_CAPTURING return events.count(e) ? OK : INVALID_HANDLE; }
API cuEventElapsedTime(float *ms, void *a, void *b) {
	ENTER NEED_CONTEXT
	if (!events.count(a) || !events.count(b) || !events[a] || !events[b]) return INVALID_HANDLE;
	*ms = 1;
	return OK;
}
API cuEventDestroy_v2(void *e) { ENTER NEED_CONTEXT if (!events.erase(e)) return INVALID_HANDLE; free(e); return OK; }

static int upload(u64 to, const void *from, size_t n) {
	if (!inside(to, n)) { complain("an upload to memory that is not allocated"); return INVALID_VALUE; }
	counts[1]++, counts[3] += n;
	memcpy((void *)to, from, n);
	return OK;
}
static int download(void *to, u64 from, size_t n) {
	if (!inside(from, n)) { complain("a download from memory that is not allocated"); return INVALID_VALUE; }
	counts[2]++, counts[4] += n;
	memcpy(to, (void *)from, n);
	return OK;
}
API cuMemcpyHtoD_v2(u64 to, const void *from, size_t n) { ENTER NEED_CONTEXT NOT_CAPTURING return upload(to, from, n); }
API cuMemcpyDtoH_v2(void *to, u64 from, size_t n) { ENTER NEED_CONTEXT NOT_CAPTURING return download(to, from, n); }
API cuMemcpyHtoDAsync_v2(u64 to, const void *from, size_t n, void *s) {
	ENTER NEED_CONTEXT
	if (!is_pinned((u64)from, n)) { complain("an asynchronous upload of memory that is not pinned"); return INVALID_VALUE; }
	return enqueue(s, [=] { return upload(to, from, n); });
}
API cuMemcpyDtoHAsync_v2(void *to, u64 from, size_t n, void *s) {
	ENTER NEED_CONTEXT
	if (!is_pinned((u64)to, n)) { complain("an asynchronous download to memory that is not pinned"); return INVALID_VALUE; }
	return enqueue(s, [=] { return download(to, from, n); });
}
API cuMemcpyDtoDAsync_v2(u64 to, u64 from, size_t n, void *s) {
	ENTER NEED_CONTEXT
	if (!inside(to, n) || !inside(from, n)) return INVALID_VALUE;
	return enqueue(s, [=] { memmove((void *)to, (void *)from, n); return 0; });
}
API cuMemsetD32Async(u64 to, unsigned v, size_t n, void *s) {
	ENTER NEED_CONTEXT
	if (!inside(to, n * 4)) return INVALID_VALUE;
	return enqueue(s, [=] { for (size_t i = 0; i < n; i++) ((unsigned *)to)[i] = v; return 0; });
}

// modules

struct entry { std::string name, kinds; int threads; };
struct module { std::map<std::string, entry> entries; };
struct function { kernel *k; int threads; };
static std::map<void *, bool> modules, functions;

// parse reads the entries of PTX: names, parameters' kinds and .maxntid.
static int parse(const char *ptx, module *m, std::string *log) {
	std::string s = ptx;
	double version = 0;
	int target = 0;
	size_t at = s.find("\n.version ");
	if (at != std::string::npos) version = atof(&s[at + 10]);
	at = s.find("\n.target sm_");
	if (at != std::string::npos) target = atoi(&s[at + 12]);
	if (!version || !target) { *log = "ptxas fatal: not PTX"; return INVALID_PTX; }
	double most = machine.version >= 13000 ? 9.0 : machine.version >= 12000 ? 8.0 : machine.version >= 11000 ? 7.0 : 6.3;
	if (version > most) { *log = "ptxas fatal: unsupported .version"; return UNSUPPORTED_PTX; }
	if (target > machine.major * 10 + machine.minor) { *log = "ptxas fatal: no code for this device"; return NO_BINARY; }
	if (s.find(".extern") != std::string::npos) { *log = "ptxas fatal: unresolved extern"; return INVALID_PTX; }
	for (at = 0; (at = s.find(".visible .entry ", at)) != std::string::npos;) {
		at += 16;
		size_t open = s.find('(', at), close = s.find(')', open), body = s.find('{', close);
		entry e;
		e.name = s.substr(at, open - at);
		for (size_t p = open; (p = s.find(".param .", p)) < close;) {
			p += 8;
			std::string type = s.substr(p, 3);
			e.kinds += type == "u64" || type == "b64" ? 'l' : type == "u32" || type == "b32" ? 'i' : type == "f32" ? 'f' : type == "f64" ? 'd' : '?';
		}
		size_t n = s.find(".maxntid ", close);
		e.threads = n < body ? atoi(&s[n + 9]) : 1024;
		m->entries[e.name] = e;
	}
	return OK;
}

API cuModuleLoadDataEx(void **out, const void *image, unsigned n, const int *options, void **values) {
	ENTER NEED_CONTEXT NOT_CAPTURING
	module *m = new module();
	std::string log;
	int e = parse((const char *)image, m, &log);
	char *buffer = nullptr;
	size_t size = 0;
	for (unsigned i = 0; i < n; i++) {
		if (options[i] == 5) buffer = (char *)values[i];
		if (options[i] == 6) size = (size_t)values[i];
	}
	if (buffer && size) snprintf(buffer, size, "%s", log.c_str());
	if (e) { delete m; return e; }
	modules[m] = true;
	*out = m;
	return OK;
}
API cuModuleUnload(void *m) { ENTER NEED_CONTEXT if (!modules.erase(m)) return INVALID_HANDLE; delete (module *)m; return OK; }
API cuModuleGetFunction(void **f, void *m, const char *name) {
	ENTER NEED_CONTEXT
	if (!modules.count(m)) return INVALID_HANDLE;
	auto e = ((module *)m)->entries.find(name);
	if (e == ((module *)m)->entries.end()) return NOT_FOUND;
	for (int i = 0; i < kernel_count; i++) {
		if (strcmp(kernels[i].name, name)) continue;
		std::string kinds = kernels[i].kinds;
		for (auto &c : kinds) if (c == 'p') c = 'l';
		if (kinds != e->second.kinds) { complain("the PTX has other parameters than the source", name); return NOT_FOUND; }
		*f = new function{&kernels[i], e->second.threads};
		functions[*f] = true;
		return OK;
	}
	complain("the source has no kernel", name);
	return NOT_FOUND;
}

// run runs the blocks of a launch.
static int run(kernel *k, shim_dim grid, shim_dim block, std::vector<u64> held) {
	std::vector<void *> args;
	for (auto &v : held) args.push_back(&v);
	counts[0]++;
	shim_ncta = grid;
	shim_ntid = block;
	for (shim_cta.z = 0; shim_cta.z < grid.z; shim_cta.z++)
		for (shim_cta.y = 0; shim_cta.y < grid.y; shim_cta.y++)
			for (shim_cta.x = 0; shim_cta.x < grid.x; shim_cta.x++)
				if (!run_block(k->run, args.data(), block.x)) {
					complain("threads of a block do not meet at a barrier or shuffle", k->name);
					return sticky = LAUNCH_FAILED;
				}
	if (!intact()) { complain("a write past the end of memory", k->name); return sticky = ILLEGAL_ADDRESS; }
	return OK;
}

API cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void *s, void **params, void **extra) {
	ENTER NEED_CONTEXT
	if (!functions.count(f) || (s && !streams.count(s))) return INVALID_HANDLE;
	function *fn = (function *)f;
	const char *name = fn->k->name;
	if (!gx || !gy || !gz || gx > 0x7fffffff || gy > 65535 || gz > 65535) { complain("a grid out of limits", name); return INVALID_VALUE; }
	if (by != 1 || bz != 1 || bx == 0 || bx % 32 || bx > (unsigned)fn->threads) { complain("a block out of limits", name); return INVALID_VALUE; }
	if (shared > 48 << 10 || extra || !params) return INVALID_VALUE;
	std::vector<u64> held; // the driver copies arguments, so do we
	for (int i = 0; fn->k->kinds[i]; i++) {
		u64 v = 0;
		memcpy(&v, params[i], fn->k->kinds[i] == 'i' || fn->k->kinds[i] == 'f' ? 4 : 8);
		if (fn->k->kinds[i] == 'p' && v && !inside(v, 1)) {
			char text[96];
			snprintf(text, sizeof text, "%s, argument %d", name, i);
			complain("a pointer to nothing", text);
			return ILLEGAL_ADDRESS;
		}
		held.push_back(v);
	}
	kernel *k = fn->k;
	int x = gx, y = gy, z = gz, t = bx;
	return enqueue(s, [=] { return run(k, {x, y, z}, {t, 1, 1}, held); });
}

// A cuBLAS of the functions that are used, by plain loops.

struct blas { int tf32; u64 work; };
static std::map<void *, bool> handles; // the stream is that of the device, which has one

API cublasCreate_v2(void **h) { ENTER NEED_CONTEXT *h = new blas{0, 0}; handles[*h] = true; return OK; }
API cublasDestroy_v2(void *h) { ENTER if (!handles.erase(h)) return 1; delete (blas *)h; return OK; }
API cublasGetVersion_v2(void *h, int *v) { ENTER *v = 130002; return handles.count(h) ? OK : 1; }
API cublasSetStream_v2(void *h, void *s) { ENTER return handles.count(h) && streams.count(s) ? OK : 1; }
API cublasSetWorkspace_v2(void *h, void *p, size_t n) {
	ENTER
	if (!handles.count(h) || !inside((u64)p, n)) return 1;
	((blas *)h)->work = (u64)p;
	return OK;
}
API cublasSetMathMode(void *h, int mode) { ENTER if (!handles.count(h)) return 1; ((blas *)h)->tf32 = mode == 3; return OK; }

static float rounded(float x, int tf32) {
	unsigned b;
	memcpy(&b, &x, 4);
	if (tf32) b = (b + 0xfff + (b >> 13 & 1)) & ~0x1fffu;
	memcpy(&x, &b, 4);
	return x;
}

// columns run down: C is m by n, C[i + j ldc].
API cublasSgemm_v2(void *h, int ta, int tb, int m, int n, int k, const float *alpha, u64 a, int lda, u64 b, int ldb, const float *beta, u64 c, int ldc) {
	ENTER NEED_CONTEXT
	if (!handles.count(h) || lda < (ta ? k : m) || ldb < (tb ? n : k) || ldc < m) return 7;
	float al = *alpha, be = *beta;
	int tf32 = ((blas *)h)->tf32;
	if (m == 0 || n == 0) return OK;
	if (!inside(c, 4 * ((size_t)(n - 1) * ldc + m)) || (k && (!inside(a, 4 * ((size_t)((ta ? m : k) - 1) * lda + (ta ? k : m))) || !inside(b, 4 * ((size_t)((tb ? k : n) - 1) * ldb + (tb ? n : k)))))) {
		complain("a product reaches out of its memory");
		return 14;
	}
	void *s = streams.empty() ? nullptr : streams.begin()->first;
	for (auto &st : streams) if (((stream *)st.first)->capturing) s = st.first;
	return enqueue(s, [=] {
		const float *A = (const float *)a, *B = (const float *)b;
		float *C = (float *)c;
		for (int j = 0; j < n; j++)
			for (int i = 0; i < m; i++) {
				float sum = 0;
				for (int l = 0; l < k; l++)
					sum += rounded(ta ? A[(size_t)i * lda + l] : A[(size_t)l * lda + i], tf32) * rounded(tb ? B[(size_t)l * ldb + j] : B[(size_t)j * ldb + l], tf32);
				float *to = &C[(size_t)j * ldc + i];
				*to = al * sum + (be == 0 ? 0 : be * *to);
			}
		return 0;
	});
}
