// clang-format off
/*
 * Written by "make calibrate": field, whether the value is confirmed, lowest
 * and highest score of the values that tell, their confidence and number.
 */
{KTPR_NIK, 1, 0.863f, 0.863f, 0.125f}, /* 1 */
{KTPR_NIK, 1, 0.982f, 0.982f, 0.998f}, /* 442 */
{KTPR_FULL_NAME, 1, 0.237f, 0.237f, 0.125f}, /* 1 */
{KTPR_FULL_NAME, 1, 0.305f, 0.624f, 0.191f}, /* 16 */
{KTPR_FULL_NAME, 1, 0.625f, 0.657f, 0.250f}, /* 4 */
{KTPR_FULL_NAME, 1, 0.680f, 0.698f, 0.562f}, /* 3 */
{KTPR_FULL_NAME, 1, 0.711f, 0.747f, 0.656f}, /* 7 */
{KTPR_FULL_NAME, 1, 0.753f, 0.817f, 0.688f}, /* 11 */
{KTPR_FULL_NAME, 1, 0.828f, 0.881f, 0.713f}, /* 19 */
{KTPR_FULL_NAME, 1, 0.885f, 0.950f, 0.932f}, /* 54 */
{KTPR_FULL_NAME, 1, 0.952f, 0.999f, 0.998f}, /* 325 */
{KTPR_PLACE_OF_BIRTH, 1, 0.067f, 0.999f, 0.998f}, /* 425 */
{KTPR_DATE_OF_BIRTH, 1, 0.000f, 0.999f, 0.998f}, /* 420 */
{KTPR_GENDER, 1, 0.138f, 0.999f, 0.998f}, /* 444 */
{KTPR_BLOOD_TYPE, 1, 0.022f, 0.470f, 0.774f}, /* 20 */
{KTPR_BLOOD_TYPE, 1, 0.534f, 0.976f, 0.950f}, /* 160 */
{KTPR_BLOOD_TYPE, 1, 0.978f, 0.999f, 0.997f}, /* 248 */
{KTPR_ADDRESS, 1, 0.233f, 0.508f, 0.018f}, /* 13 */
{KTPR_ADDRESS, 1, 0.533f, 0.670f, 0.250f}, /* 8 */
{KTPR_ADDRESS, 1, 0.677f, 0.760f, 0.659f}, /* 10 */
{KTPR_ADDRESS, 1, 0.761f, 0.821f, 0.725f}, /* 9 */
{KTPR_ADDRESS, 1, 0.823f, 0.873f, 0.908f}, /* 18 */
{KTPR_ADDRESS, 1, 0.880f, 0.952f, 0.950f}, /* 55 */
{KTPR_ADDRESS, 1, 0.953f, 0.999f, 0.998f}, /* 327 */
{KTPR_RT_RW, 1, 0.385f, 0.494f, 0.083f}, /* 2 */
{KTPR_RT_RW, 1, 0.497f, 0.839f, 0.528f}, /* 26 */
{KTPR_RT_RW, 1, 0.852f, 0.896f, 0.762f}, /* 19 */
{KTPR_RT_RW, 1, 0.898f, 0.907f, 0.806f}, /* 8 */
{KTPR_RT_RW, 1, 0.912f, 0.933f, 0.883f}, /* 14 */
{KTPR_RT_RW, 1, 0.934f, 0.974f, 0.950f}, /* 85 */
{KTPR_RT_RW, 1, 0.975f, 0.998f, 0.997f}, /* 281 */
{KTPR_ADMINISTRATIVE_VILLAGE, 1, 0.181f, 0.999f, 0.998f}, /* 438 */
{KTPR_DISTRICT, 1, 0.164f, 0.999f, 0.998f}, /* 427 */
{KTPR_CITY, 1, 0.417f, 0.665f, 0.854f}, /* 11 */
{KTPR_CITY, 1, 0.723f, 0.999f, 0.998f}, /* 433 */
{KTPR_STATE, 1, 0.354f, 0.999f, 0.998f}, /* 443 */
{KTPR_RELIGION, 1, 0.096f, 0.999f, 0.998f}, /* 444 */
{KTPR_MARITAL_STATUS, 1, 0.142f, 0.999f, 0.998f}, /* 438 */
{KTPR_OCCUPATION, 1, 0.075f, 0.999f, 0.998f}, /* 427 */
{KTPR_NATIONALITY, 1, 0.128f, 0.998f, 0.998f}, /* 438 */
{KTPR_VALID_UNTIL, 1, 0.173f, 0.998f, 0.981f}, /* 39 */
{KTPR_ISSUED_PLACE, 1, 0.507f, 0.998f, 0.976f}, /* 30 */
{KTPR_ISSUED_DATE, 1, 0.481f, 0.997f, 0.980f}, /* 36 */
{KTPR_ALL_FIELDS, 0, 0.000f, 0.506f, 0.090f}, /* 24 */
{KTPR_ALL_FIELDS, 0, 0.513f, 0.760f, 0.125f}, /* 25 */
{KTPR_ALL_FIELDS, 0, 0.766f, 0.923f, 0.402f}, /* 27 */
{KTPR_ALL_FIELDS, 0, 0.940f, 0.951f, 0.464f}, /* 6 */
{KTPR_ALL_FIELDS, 0, 0.954f, 0.962f, 0.562f}, /* 3 */
{KTPR_ALL_FIELDS, 0, 0.964f, 0.989f, 0.817f}, /* 14 */
{KTPR_ALL_FIELDS, 0, 0.992f, 0.997f, 0.893f}, /* 6 */
