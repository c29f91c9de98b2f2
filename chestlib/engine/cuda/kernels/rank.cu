// rank.cu: Recall@K without sorting. A tile s holds the scores of rows queries
// from row0 on to columns items from column0 on; larger is nearer.
#include "math.h"

// ball_scores turns dot products into -‖x-y‖²/(1-c‖y‖²), which falls with the
// distance to x in the ball.
KERN(256) void ball_scores(float *s, int rows, int columns, const float *__restrict__ xx, const float *__restrict__ yy, const float *__restrict__ invY) {
	size_t at = (size_t)cta_x * 256 + tid_x;
	if (at >= (size_t)rows * columns) return;
	int i = at / columns, j = at % columns;
	float sq = xx[i] + yy[j] - 2.0f * s[at];
	s[at] = sq < 0.0f ? 0.0f : -sq * invY[j];
}

// rank_best keeps, for each query, the best score of an item of its own label
// and that item, of equal ones the first. One block a query; best and at go on from
// the tiles before, which have lower items; -1 in at is none. self: query i is item i and does not count.
KERN(256) void rank_best(const float *__restrict__ s, int columns, int row0, int column0, const int *__restrict__ labelX, const int *__restrict__ labelY, int self, float *best, int *at) {
	KERN_SHARED float tops[256];
	KERN_SHARED int ats[256];
	int i = row0 + cta_x, label = labelX[i], where = -1;
	float top = -K_INF;
	for (int j = tid_x; j < columns; j += 256) {
		int item = column0 + j;
		float v = s[(size_t)cta_x * columns + j];
		if (labelY[item] == label && !(self && item == i) && (where < 0 || v > top)) {
			top = v;
			where = item;
		}
	}
	tops[tid_x] = top;
	ats[tid_x] = where;
	k_sync();
	if (tid_x) return;
	top = best[i];
	where = at[i];
	for (int t = 0; t < 256; t++) {
		if (ats[t] < 0) continue;
		if (where < 0 || tops[t] > top || (tops[t] == top && ats[t] < where)) {
			top = tops[t];
			where = ats[t];
		}
	}
	best[i] = top;
	at[i] = where;
}

// rank_count adds to above, for each query, the items of the tile that are
// ranked before its best: scored higher, or the same and of a lower number.
KERN(256) void rank_count(const float *__restrict__ s, int columns, int row0, int column0, int self, const float *__restrict__ best, const int *__restrict__ at, int *above) {
	KERN_SHARED int counts[256];
	int i = row0 + cta_x, where = at[i], count = 0;
	float top = best[i];
	for (int j = tid_x; j < columns; j += 256) {
		int item = column0 + j;
		float v = s[(size_t)cta_x * columns + j];
		if (!(self && item == i) && (v > top || (v == top && item < where))) count++;
	}
	counts[tid_x] = count;
	k_sync();
	if (tid_x) return;
	for (int t = 1; t < 256; t++) count += counts[t];
	above[i] += count;
}
