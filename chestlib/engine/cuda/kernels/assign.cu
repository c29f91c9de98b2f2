// assign.cu: soft assignment to proxies and cross-entropy over classes. Rows of
// s are the n features, columns c·k+l the proxies.
#include "math.h"

#define SPHERE (-1)        // kind: s has the similarities
#define NEGATIVE 0         // s has dot products, then squared distances:
#define NEGATIVE_SQUARED 1 // -d, -d²,
#define EXPONENTIAL 2      // exp(-d),
#define RESCALED 3         // -d/(4r)
#define NEAR 1e-5f         // share of ‖x‖²+‖p‖² below which ‖x-p‖² from dots has lost too much

// exact is ‖x-p‖² from the difference.
KERN_DEV float exact(const float *x, const float *p, int d) {
	double sum = 0.0;
	for (int t = 0; t < d; t++) {
		double e = (double)x[t] - (double)p[t];
		sum += e * e;
	}
	return (float)sum;
}

// distance is that of two points with squared difference sq in the ball; a is
// c/(1-c‖x‖²), b is 1/(1-c‖p‖²), root is 2/√c. Flat for root = 0. slope becomes its
// derivative by sq, for zz = sq a b that is root a b/(2√(zz(1+zz))); 0 for equal points.
KERN_DEV float distance(float sq, float a, float b, float root, float *slope) {
	if (root == 0.0f) {
		float y = k_sqrt(sq);
		*slope = sq <= K_LEAST ? 0.0f : k_div(1.0f, y);
		return 2.0f * y;
	}
	float zz = sq * a * b, y = k_sqrt(zz), w = k_sqrt(1.0f + zz);
	int equal = zz <= K_LEAST;
	*slope = equal ? 0.0f : k_div(0.5f * root * a * b, y * w);
	return equal ? 0.0f : root * k_asinh(y, w);
}

KERN_DEV float similarity(float dist, int kind, float quarter) {
	if (kind == NEGATIVE_SQUARED) return -dist * dist;
	if (kind == EXPONENTIAL) return k_exp(-dist);
	if (kind == RESCALED) return -dist * quarter;
	return -dist;
}

// assign_forward takes one row of s a block:
//
//	q_l = softmax over l of s_l/γ,  S_c = Σ q s          relaxed[i,c]
//	h_c = log Σ exp((s_l - S_c)/γ)                       spread[i,c]: then q_l = exp((s_l-S_c)/γ - h_c)
//	z_c = λ S_c - margin [c = y],  lse = log Σ exp z,  loss = lse - z_y
//
// In the ball s comes as dot products and is left as squared distances.
KERN(256) void assign_forward(float *s, int classes, int k, const int *__restrict__ label, int kind, float lambda, float margin, float inverse, const float *__restrict__ x, const float *__restrict__ p, int d, const float *__restrict__ xx, const float *__restrict__ pp, const float *__restrict__ room, const float *__restrict__ invP, float c, float root, float quarter, float *relaxed, float *spread, float *lse, double *loss) {
	KERN_SHARED float tops[8];
	KERN_SHARED float sums[8];
	KERN_SHARED float own[1];
	int i = cta_x, columns = classes * k, y = label[i];
	float *row = s + (size_t)i * columns;
	float a = 0.0f, n2 = 0.0f, slope;
	if (kind != SPHERE) {
		a = k_div(c, room[i]);
		n2 = xx[i];
	}
	float most = -K_INF, total = 0.0f;
	for (int cl = tid_x; cl < classes; cl += 256) {
		float top = 0.0f, sum = 0.0f, mean = 0.0f; // relative to top
		for (int l = 0; l < k; l++) {
			int j = cl * k + l;
			float v = row[j];
			if (kind != SPHERE) {
				float both = n2 + pp[j], sq = both - 2.0f * v;
				if (sq < NEAR * both) sq = exact(x + (size_t)i * d, p + (size_t)j * d, d);
				row[j] = sq;
				v = similarity(distance(sq, a, invP[j], root, &slope), kind, quarter);
			}
			if (l == 0) {
				top = v;
				sum = 1.0f;
				continue;
			}
			float up = v - top, e = k_exp((up > 0.0f ? -up : up) * inverse);
			mean = up > 0.0f ? e * (mean - up * sum) : mean + e * up;
			sum = up > 0.0f ? sum * e + 1.0f : sum + e;
			top = up > 0.0f ? v : top;
		}
		float below = k_div(mean, sum), S = top + below;
		relaxed[(size_t)i * classes + cl] = S;
		spread[(size_t)i * classes + cl] = k_log(sum) - below * inverse;
		float z = lambda * S;
		if (cl == y) {
			z -= margin;
			own[0] = z;
		}
		float up = z - most, e = k_exp(up > 0.0f ? -up : up);
		total = up > 0.0f ? total * e + 1.0f : total + e;
		most = up > 0.0f ? z : most;
	}
	float top = k_warp_max(most);
	float sum = k_warp_sum(most == -K_INF ? total : total * k_exp(most - top));
	if (tid_x % 32 == 0) {
		tops[tid_x / 32] = top;
		sums[tid_x / 32] = sum;
	}
	k_sync();
	if (tid_x) return;
	for (int w = 1; w < 8; w++) top = tops[w] > top ? tops[w] : top;
	sum = 0.0f;
	for (int w = 0; w < 8; w++) sum += tops[w] == -K_INF ? sums[w] : sums[w] * k_exp(tops[w] - top);
	float whole = top + k_log(sum);
	lse[i] = whole;
	loss[i] = (double)whole - (double)own[0];
}

#define BACK_ROWS 32

// assign_backward overwrites s, as assign_forward left it, with scale times the
// gradient of the loss: by the similarities on the sphere; in the ball it goes on to the
// weights of the gradient by the points, for g by the distance
//
//	w = 2g ∂d/∂sq,  v = w sq
//
// and sums w and v over the block's 256 columns, in rowW and rowV (a part for
// each cta_x, n long), and over its 32 rows, in colW and colV (one for each cta_y).
KERN(256) void assign_backward(float *s, int n, int classes, int k, const int *__restrict__ label, int kind, float lambda, float margin, float inverse, float scale, const float *__restrict__ roomX, const float *__restrict__ invP, float c, float root, float quarter, const float *__restrict__ relaxed, const float *__restrict__ spread, const float *__restrict__ lse, float *rowW, float *rowV, float *colW, float *colV) {
	KERN_SHARED float partW[BACK_ROWS][8];
	KERN_SHARED float partV[BACK_ROWS][8];
	KERN_SHARED float a[BACK_ROWS];
	int columns = classes * k, j = cta_x * 256 + tid_x, inside = j < columns, cl = j / k;
	int first = cta_y * BACK_ROWS, rows = n - first < BACK_ROWS ? n - first : BACK_ROWS;
	float b = 0.0f, sumW = 0.0f, sumV = 0.0f;
	if (kind != SPHERE) {
		if (inside) b = invP[j];
		if (tid_x < rows) a[tid_x] = k_div(c, roomX[first + tid_x]);
		k_sync();
	}
	for (int r = 0; r < rows; r++) {
		int i = first + r;
		size_t at = (size_t)i * columns + j, ac = (size_t)i * classes + cl;
		float w = 0.0f, v = 0.0f;
		if (inside) {
			float sq = s[at], dist = 0.0f, sim = sq, slope = 0.0f;
			if (kind != SPHERE) {
				dist = distance(sq, a[r], b, root, &slope);
				sim = similarity(dist, kind, quarter);
			}
			float S = relaxed[ac], z = lambda * S, hit = 0.0f;
			if (cl == label[i]) {
				z -= margin;
				hit = 1.0f;
			}
			float gS = scale * (k_exp(z - lse[i]) - hit), away = (sim - S) * inverse;
			w = gS * k_exp(away - spread[ac]) * (1.0f + away);
			if (kind != SPHERE) {
				if (kind == NEGATIVE_SQUARED) w *= -2.0f * dist;
				else if (kind == EXPONENTIAL) w *= -sim;
				else if (kind == RESCALED) w *= -quarter;
				else w = -w;
				w *= 2.0f * slope;
				v = w * sq;
				sumW += w;
				sumV += v;
			}
			s[at] = w;
		}
		if (kind != SPHERE) {
			w = k_warp_sum(w);
			v = k_warp_sum(v);
			if (tid_x % 32 == 0) {
				partW[r][tid_x / 32] = w;
				partV[r][tid_x / 32] = v;
			}
		}
	}
	if (kind == SPHERE) return;
	if (inside) {
		colW[(size_t)cta_y * columns + j] = sumW;
		colV[(size_t)cta_y * columns + j] = sumV;
	}
	k_sync();
	if (tid_x >= rows) return;
	float W = 0.0f, V = 0.0f;
	for (int w = 0; w < 8; w++) {
		W += partW[tid_x][w];
		V += partV[tid_x][w];
	}
	rowW[(size_t)cta_x * n + first + tid_x] = W;
	rowV[(size_t)cta_x * n + first + tid_x] = V;
}

// merge_pairs takes one pair l < m of the k proxies of a class a warp: value
// becomes scale times its term of R, coef and diag, k×k for each class, weight times
// what finish_rows adds. Terms: √(2+ε-2p·q) on the sphere, the distance in the ball.
KERN(128) void merge_pairs(const float *__restrict__ p, const float *__restrict__ room, int classes, int k, int d, int sphere, double c, double scale, double weight, float *coef, float *diag, double *value) {
	size_t at = (size_t)cta_x * 4 + tid_x / 32, pairs = (size_t)k * (k - 1) / 2;
	int lane = tid_x % 32;
	if (at >= classes * pairs) return;
	int q = at % pairs, m = (int)((1.0f + k_sqrt(1.0f + 8.0f * (float)q)) / 2.0f); // q = m(m-1)/2 + l
	while (m * (m - 1) / 2 > q) m--;
	while (m * (m + 1) / 2 <= q) m++;
	int l = q - m * (m - 1) / 2;
	size_t first = at / pairs * k, pair = (first + l) * k + m;
	const float *a = p + (first + l) * d, *b = p + (first + m) * d;
	double dot = 0.0, sq = 0.0;
	for (int t = lane; t < d; t += 32) {
		double e = (double)a[t] - (double)b[t];
		sq += e * e;
		dot += (double)a[t] * (double)b[t];
	}
	sq = k_warp_sum_d(sq);
	dot = k_warp_sum_d(dot);
	if (lane) return;
	size_t other = (first + m) * k + l;
	if (sphere) {
		if (dot < 0.9) sq = 2.0 - 2.0 * dot; // also where one is the zero vector
		double root = k_sqrt_d(sq + 1e-5);
		value[at] = scale * root;
		coef[pair] = coef[other] = (float)(-weight / root);
		diag[pair] = diag[other] = 0.0f;
		return;
	}
	double roomA = (double)room[first + l], roomB = (double)room[first + m];
	double w = sq > 0.0 ? 2.0 * weight / k_sqrt_d((roomA * roomB + c * sq) * sq) : 0.0, v = w * sq;
	coef[pair] = coef[other] = (float)-w;
	diag[pair] = (float)(w + c * v / roomA);
	diag[other] = (float)(w + c * v / roomB);
	value[at] = scale * (c == 0.0 ? 2.0 * k_sqrt_d(sq) : 2.0 / k_sqrt_d(c) * k_asinh_root_d(c * sq / (roomA * roomB)));
}
