// clang-format off
/*
 * Written by "make calibrate": field, whether the value is confirmed, lowest
 * and highest score of the values that tell, their confidence and number.
 */
{KTPR_NIK, 1, 0.400f, 0.863f, 0.167f}, /* 2 */
{KTPR_NIK, 1, 0.982f, 0.982f, 0.999f}, /* 339 */
{KTPR_FULL_NAME, 1, 0.207f, 0.560f, 0.036f}, /* 13 */
{KTPR_FULL_NAME, 1, 0.562f, 0.624f, 0.188f}, /* 7 */
{KTPR_FULL_NAME, 1, 0.654f, 0.734f, 0.346f}, /* 12 */
{KTPR_FULL_NAME, 1, 0.760f, 0.876f, 0.736f}, /* 35 */
{KTPR_FULL_NAME, 1, 0.878f, 0.916f, 0.794f}, /* 16 */
{KTPR_FULL_NAME, 1, 0.918f, 0.941f, 0.808f}, /* 12 */
{KTPR_FULL_NAME, 1, 0.942f, 0.993f, 0.950f}, /* 95 */
{KTPR_FULL_NAME, 1, 0.994f, 0.999f, 0.997f}, /* 151 */
{KTPR_PLACE_OF_BIRTH, 1, 0.101f, 0.999f, 0.998f}, /* 323 */
{KTPR_DATE_OF_BIRTH, 1, 0.000f, 0.999f, 0.998f}, /* 331 */
{KTPR_GENDER, 1, 0.098f, 0.999f, 0.999f}, /* 341 */
{KTPR_BLOOD_TYPE, 1, 0.045f, 0.045f, 0.250f}, /* 1 */
{KTPR_BLOOD_TYPE, 1, 0.183f, 0.291f, 0.500f}, /* 2 */
{KTPR_BLOOD_TYPE, 1, 0.319f, 0.530f, 0.881f}, /* 20 */
{KTPR_BLOOD_TYPE, 1, 0.532f, 0.895f, 0.950f}, /* 81 */
{KTPR_BLOOD_TYPE, 1, 0.896f, 0.998f, 0.998f}, /* 223 */
{KTPR_ADDRESS, 1, 0.293f, 0.640f, 0.029f}, /* 16 */
{KTPR_ADDRESS, 1, 0.645f, 0.712f, 0.214f}, /* 6 */
{KTPR_ADDRESS, 1, 0.716f, 0.770f, 0.433f}, /* 14 */
{KTPR_ADDRESS, 1, 0.772f, 0.784f, 0.500f}, /* 4 */
{KTPR_ADDRESS, 1, 0.792f, 0.878f, 0.759f}, /* 26 */
{KTPR_ADDRESS, 1, 0.880f, 0.914f, 0.795f}, /* 21 */
{KTPR_ADDRESS, 1, 0.917f, 0.940f, 0.833f}, /* 8 */
{KTPR_ADDRESS, 1, 0.941f, 0.999f, 0.998f}, /* 245 */
{KTPR_RT_RW, 1, 0.630f, 0.660f, 0.375f}, /* 3 */
{KTPR_RT_RW, 1, 0.681f, 0.718f, 0.500f}, /* 2 */
{KTPR_RT_RW, 1, 0.721f, 0.833f, 0.607f}, /* 13 */
{KTPR_RT_RW, 1, 0.839f, 0.862f, 0.750f}, /* 5 */
{KTPR_RT_RW, 1, 0.867f, 0.882f, 0.821f}, /* 13 */
{KTPR_RT_RW, 1, 0.886f, 0.942f, 0.936f}, /* 38 */
{KTPR_RT_RW, 1, 0.943f, 0.999f, 0.998f}, /* 249 */
{KTPR_ADMINISTRATIVE_VILLAGE, 1, 0.112f, 0.999f, 0.999f}, /* 338 */
{KTPR_DISTRICT, 1, 0.122f, 0.999f, 0.998f}, /* 324 */
{KTPR_CITY, 1, 0.459f, 0.512f, 0.625f}, /* 3 */
{KTPR_CITY, 1, 0.536f, 0.999f, 0.999f}, /* 338 */
{KTPR_STATE, 1, 0.412f, 0.999f, 0.999f}, /* 340 */
{KTPR_RELIGION, 1, 0.109f, 0.999f, 0.999f}, /* 337 */
{KTPR_MARITAL_STATUS, 1, 0.110f, 0.999f, 0.999f}, /* 335 */
{KTPR_OCCUPATION, 1, 0.080f, 0.999f, 0.998f}, /* 328 */
{KTPR_NATIONALITY, 1, 0.117f, 0.150f, 0.625f}, /* 3 */
{KTPR_NATIONALITY, 1, 0.177f, 0.998f, 0.998f}, /* 331 */
{KTPR_VALID_UNTIL, 1, 0.089f, 0.999f, 0.988f}, /* 39 */
{KTPR_ISSUED_PLACE, 1, 0.823f, 0.999f, 0.983f}, /* 29 */
{KTPR_ISSUED_DATE, 1, 0.372f, 0.998f, 0.987f}, /* 37 */
{KTPR_ALL_FIELDS, 0, 0.013f, 0.710f, 0.013f}, /* 39 */
{KTPR_ALL_FIELDS, 0, 0.715f, 0.814f, 0.136f}, /* 10 */
{KTPR_ALL_FIELDS, 0, 0.820f, 0.928f, 0.425f}, /* 19 */
{KTPR_ALL_FIELDS, 0, 0.942f, 0.969f, 0.500f}, /* 10 */
{KTPR_ALL_FIELDS, 0, 0.970f, 0.990f, 0.643f}, /* 6 */
{KTPR_ALL_FIELDS, 0, 0.992f, 0.997f, 0.929f}, /* 6 */
