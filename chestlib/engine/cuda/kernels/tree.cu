// tree.cu: HypHC on triplets of points of the ball. Double precision: Gram
// determinants cancel.
#include "math.h"

#define IN_LINE 1e-13 // squared sine up to which points count as in line with the origin

// pairs of a triplet: 01, 02, 12.
KERN_DEV int left(int m) { return m == 2 ? 1 : 0; }
KERN_DEV int right(int m) { return m == 0 ? 1 : 2; }

// line returns the bracket of the gradient by a of the depth between a and b,
// times k, as a multiple of a and one of b.
KERN_DEV void line(double aa, double bb, double ab, double dd, double q, double c, double k, double *byA, double *byB) {
	double t = ab / bb, perp = aa - t * ab;
	*byA = k * (1.0 / perp - 1.0 / dd - c * c * bb / q);
	*byB = k * (-t / perp + 1.0 / dd + c / q);
}

KERN_DEV double origin(double xx, double room, double c) { // d(0,x)
	if (c == 0.0) return 2.0 * k_sqrt_d(xx);
	return 2.0 / k_sqrt_d(c) * k_asinh_root_d(c * xx / room);
}

KERN_DEV double outwards(double xx, double room) { // ∂d(0,x)/∂x = that times x
	return xx == 0.0 ? 0.0 : 2.0 / (k_sqrt_d(xx) * room);
}

// tree_pairs takes one pair of a triplet a warp, 3n in all: the depth of the
// common ancestor, the likeness w of the leaves' rows of like, and the depth's
// gradient, by the first point as g0 a + g1 b and by the second as g2 a + g3 b.
KERN(128) void tree_pairs(const int *__restrict__ triplets, int n, const float *__restrict__ p, const float *__restrict__ room, int d, double c, const float *__restrict__ like, int dl, int k, int aware, double *depth, double *w, double *grad) {
	int pair = cta_x * 4 + tid_x / 32, lane = tid_x % 32;
	if (pair >= 3 * n) return;
	int first = triplets[pair / 3 * 3 + left(pair % 3)], second = triplets[pair / 3 * 3 + right(pair % 3)];
	const float *a = p + (size_t)first * d, *b = p + (size_t)second * d;
	double aa = 0.0, bb = 0.0, ab = 0.0, dd = 0.0, xx = 0.0, yy = 0.0, xy = 0.0;
	for (int t = lane; t < d; t += 32) {
		double u = (double)a[t], v = (double)b[t];
		aa += u * u;
		bb += v * v;
		ab += u * v;
		dd += (u - v) * (u - v);
	}
	a = like + (size_t)first * dl;
	b = like + (size_t)second * dl;
	for (int t = lane; t < dl; t += 32) {
		double u = (double)a[t], v = (double)b[t];
		xx += u * u;
		yy += v * v;
		xy += u * v;
	}
	aa = k_warp_sum_d(aa);
	bb = k_warp_sum_d(bb);
	ab = k_warp_sum_d(ab);
	dd = k_warp_sum_d(dd);
	xx = k_warp_sum_d(xx);
	yy = k_warp_sum_d(yy);
	xy = k_warp_sum_d(xy);
	if (lane) return;
	double cos = xx == 0.0 || yy == 0.0 ? 0.0 : xy / k_sqrt_d(xx * yy);
	cos = cos > 1.0 ? 1.0 : cos < -1.0 ? -1.0 : cos;
	w[pair] = aware && first / k == second / k ? 1.0 : (1.0 + cos) / 2.0;

	double roomA = (double)room[first], roomB = (double)room[second], q = roomA * roomB + c * dd;
	double *g = grad + (size_t)pair * 4;
	g[0] = g[1] = g[2] = g[3] = 0.0;
	if (dd == 0.0 || (1.0 + c * bb) * aa < (1.0 + c * aa) * ab) {
		depth[pair] = origin(aa, roomA, c);
		g[0] = outwards(aa, roomA);
		if (dd == 0.0) g[3] = g[0] = g[0] / 2.0;
		return;
	}
	if ((1.0 + c * aa) * bb < (1.0 + c * bb) * ab) {
		depth[pair] = origin(bb, roomB, c);
		g[3] = outwards(bb, roomB);
		return;
	}
	double gram = aa * bb - ab * ab;
	if (gram <= IN_LINE * aa * bb) {
		depth[pair] = 0.0;
		return;
	}
	double zz = 4.0 * (gram / (dd * q)), z = k_sqrt_d(zz);
	depth[pair] = c == 0.0 ? z : k_asinh_root_d(c * zz) / k_sqrt_d(c);
	double slope = z / k_sqrt_d(1.0 + c * zz);
	line(aa, bb, ab, dd, q, c, slope, &g[0], &g[1]);
	line(bb, aa, ab, dd, q, c, slope, &g[3], &g[2]);
}

// tree_triplets computes the loss of each triplet, and multiplies the gradients
// of tree_pairs by scale times that of the loss by the depths.
KERN(128) void tree_triplets(int n, const double *__restrict__ depth, const double *__restrict__ w, double temperature, double scale, double *grad, double *loss) {
	int i = cta_x * 128 + tid_x;
	if (i >= n) return;
	depth += (size_t)i * 3;
	w += (size_t)i * 3;
	double top = depth[0], sigma[3], sum = 0.0, mean = 0.0;
	for (int m = 1; m < 3; m++) top = depth[m] > top ? depth[m] : top;
	for (int m = 0; m < 3; m++) {
		sigma[m] = k_exp_d((depth[m] - top) / temperature);
		sum += sigma[m];
	}
	for (int m = 0; m < 3; m++) {
		sigma[m] /= sum;
		mean += w[m] * sigma[m];
	}
	for (int m = 0; m < 3; m++) {
		double g = -sigma[m] * (w[m] - mean) / temperature * scale;
		for (int e = 0; e < 4; e++) grad[((size_t)i * 3 + m) * 4 + e] *= g;
	}
	loss[i] = w[0] + w[1] + w[2] - mean;
}

// tree_scatter adds the triplets' gradients to those of the points, one leaf a
// block: leaf b has the entries start[b] to start[b+1], each a pair times two, plus
// one where the leaf is the second of the pair. The entries are in order, so is the sum.
KERN(128) void tree_scatter(const int *__restrict__ leaf, const int *__restrict__ start, const int *__restrict__ entry, const int *__restrict__ triplets, const float *__restrict__ p, const double *__restrict__ grad, int d, float *g) {
	int self = leaf[cta_x], from = start[cta_x], to = start[cta_x + 1];
	if (from == to) return; // a place that is not used: its leaf is any
	for (int t = tid_x; t < d; t += 128) {
		double sum = 0.0, own = 0.0;
		for (int e = from; e < to; e++) {
			int pair = entry[e] / 2, second = entry[e] % 2;
			int other = triplets[pair / 3 * 3 + (second ? left(pair % 3) : right(pair % 3))];
			const double *q = grad + (size_t)pair * 4;
			own = q[second ? 3 : 0];
			sum += own * (double)p[(size_t)self * d + t] + q[second ? 2 : 1] * (double)p[(size_t)other * d + t];
		}
		g[(size_t)self * d + t] += (float)sum;
	}
}
