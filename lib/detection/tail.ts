/**
 * φ of a normal distribution: −log10 of the chance to lie above z, for any z.
 *
 * `1 - cdf(z)` is 0 in doubles from z = 8.29 on, exactly where φ = 16 is needed; a logistic
 * stand-in (Akka) calls 12.3 what is 16. So the logarithm of the *survival* function is computed,
 * in two pieces that agree to 1e-13 where they meet: below 3 the all-positive series
 * `Q(z) = 1/2 - pdf(z) (z + z³/3 + z⁵/15 + …)`, from 3 on the continued fraction
 * `Q(z) = pdf(z) / (z + 1/(z + 2/(z + 3/…)))`, whose density never leaves the logarithm.
 * Negative z mirror: `φ(z) = -log1p(-Q(-z)) / ln 10`.
 *
 * Relative error below 1e-9 (measured 2e-13) wherever φ is a normal double, that is for z >= -37.5;
 * below that φ is smaller than 1e-308 and fades to 0, exact to two steps of the smallest double.
 * Abramowitz and Stegun 26.2.11, 26.2.14.
 */
import { invariant } from '../base/invariant.ts';

const HALF_LN_TWO_PI = 0.9189385332046727;
const SERIES_BELOW_Z = 3;
const SERIES_TERMS_MAX = 60;
/** Terms of the fraction for 1e-14: 48 at z = 3, where the series takes over, 9 at 10, 5 far out. */
const FRACTION_TERMS_MIN = 5;
const FRACTION_TERMS_SCALE = 380;
/** From here on Q(z) is below the smallest double. */
const VANISHING_Z = 38.6;
/** Halvings after which no double lies between the two ends. */
const BISECTIONS = 64;
/** Beyond this z² / 2 would leave the doubles; nothing we measure comes near. */
const Z_LIMIT = 1e150;

/**
 * @param z standard deviations above the mean; any number but NaN.
 * @returns a finite number >= 0, rising with z: `normalPhi(0)` is 0.301, `normalPhi(5.612)` is 8.
 */
export function normalPhi(z: number): number {
  invariant(!Number.isNaN(z), 'z-not-a-number');
  const bounded = Math.min(Math.max(z, -Z_LIMIT), Z_LIMIT);
  if (bounded >= SERIES_BELOW_Z) {
    return (bounded ** 2 / 2 + HALF_LN_TWO_PI + Math.log(continuedFraction(bounded))) / Math.LN10;
  }
  if (bounded >= 0) {
    return -Math.log(upperTail(bounded)) / Math.LN10;
  }
  return -Math.log1p(-upperTail(-bounded)) / Math.LN10;
}

/**
 * The inverse: the z at which φ is `phi`, for any positive φ up to 1e4, to the last digits. By
 * bisection: deadlines need it only for φ below 0.6, and never in the path of a heartbeat.
 */
export function normalZ(phi: number): number {
  invariant(phi > 0 && phi <= 1e4, 'phi-out-of-range', phi);
  let low = -40;
  let high = 1 + Math.sqrt(2 * Math.LN10 * phi);
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = (low + high) / 2;
    if (normalPhi(middle) < phi) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return high;
}

/** Q(z) for z >= 0, to full relative precision until it underflows. */
function upperTail(z: number): number {
  if (z >= VANISHING_Z) {
    return 0;
  }
  const density = Math.exp(-(z ** 2) / 2 - HALF_LN_TWO_PI);
  return z < SERIES_BELOW_Z ? 0.5 - density * oddSeries(z) : density / continuedFraction(z);
}

/** z + z³/3 + z⁵/(3·5) + …, until a term no longer changes the sum. */
function oddSeries(z: number): number {
  let term = z;
  let sum = z;
  for (let k = 1; k < SERIES_TERMS_MAX && term > sum * Number.EPSILON; k++) {
    term *= z ** 2 / (2 * k + 1);
    sum += term;
  }
  return sum;
}

/** z + 1/(z + 2/(z + 3/…)), evaluated from the inside out. */
function continuedFraction(z: number): number {
  let value = z;
  for (let k = Math.ceil(FRACTION_TERMS_MIN + FRACTION_TERMS_SCALE / z ** 2); k > 0; k--) {
    value = z + k / value;
  }
  return value;
}
