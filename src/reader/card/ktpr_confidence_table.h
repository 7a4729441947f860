// clang-format off
/*
 * Written by "make calibrate": field, whether the value is confirmed, lowest
 * and highest score of the values that tell, their confidence and number.
 */
{KTPR_NIK, 1, 0.400f, 0.863f, 0.083f}, /* 2 */
{KTPR_NIK, 1, 0.982f, 0.982f, 0.998f}, /* 442 */
{KTPR_FULL_NAME, 1, 0.272f, 0.640f, 0.012f}, /* 20 */
{KTPR_FULL_NAME, 1, 0.645f, 0.761f, 0.481f}, /* 12 */
{KTPR_FULL_NAME, 1, 0.764f, 0.850f, 0.613f}, /* 19 */
{KTPR_FULL_NAME, 1, 0.853f, 0.899f, 0.824f}, /* 26 */
{KTPR_FULL_NAME, 1, 0.900f, 0.935f, 0.886f}, /* 32 */
{KTPR_FULL_NAME, 1, 0.936f, 0.953f, 0.903f}, /* 17 */
{KTPR_FULL_NAME, 1, 0.954f, 0.965f, 0.930f}, /* 24 */
{KTPR_FULL_NAME, 1, 0.966f, 0.995f, 0.950f}, /* 142 */
{KTPR_FULL_NAME, 1, 0.996f, 0.999f, 0.995f}, /* 152 */
{KTPR_PLACE_OF_BIRTH, 1, 0.069f, 0.999f, 0.998f}, /* 427 */
{KTPR_DATE_OF_BIRTH, 1, 0.000f, 0.999f, 0.998f}, /* 421 */
{KTPR_GENDER, 1, 0.145f, 0.999f, 0.998f}, /* 444 */
{KTPR_BLOOD_TYPE, 1, 0.028f, 0.312f, 0.725f}, /* 9 */
{KTPR_BLOOD_TYPE, 1, 0.318f, 0.487f, 0.750f}, /* 14 */
{KTPR_BLOOD_TYPE, 1, 0.517f, 0.832f, 0.938f}, /* 43 */
{KTPR_BLOOD_TYPE, 1, 0.833f, 0.993f, 0.950f}, /* 190 */
{KTPR_BLOOD_TYPE, 1, 0.994f, 0.999f, 0.996f}, /* 174 */
{KTPR_ADDRESS, 1, 0.239f, 0.612f, 0.012f}, /* 20 */
{KTPR_ADDRESS, 1, 0.619f, 0.658f, 0.321f}, /* 6 */
{KTPR_ADDRESS, 1, 0.699f, 0.726f, 0.450f}, /* 4 */
{KTPR_ADDRESS, 1, 0.734f, 0.795f, 0.604f}, /* 11 */
{KTPR_ADDRESS, 1, 0.798f, 0.851f, 0.817f}, /* 14 */
{KTPR_ADDRESS, 1, 0.866f, 0.890f, 0.897f}, /* 16 */
{KTPR_ADDRESS, 1, 0.891f, 0.947f, 0.946f}, /* 50 */
{KTPR_ADDRESS, 1, 0.949f, 0.999f, 0.998f}, /* 322 */
{KTPR_RT_RW, 1, 0.609f, 0.768f, 0.477f}, /* 10 */
{KTPR_RT_RW, 1, 0.790f, 0.846f, 0.604f}, /* 11 */
{KTPR_RT_RW, 1, 0.847f, 0.893f, 0.732f}, /* 13 */
{KTPR_RT_RW, 1, 0.895f, 0.935f, 0.950f}, /* 37 */
{KTPR_RT_RW, 1, 0.938f, 0.999f, 0.998f}, /* 351 */
{KTPR_ADMINISTRATIVE_VILLAGE, 1, 0.180f, 0.999f, 0.998f}, /* 439 */
{KTPR_DISTRICT, 1, 0.144f, 0.999f, 0.998f}, /* 427 */
{KTPR_CITY, 1, 0.411f, 0.633f, 0.825f}, /* 9 */
{KTPR_CITY, 1, 0.641f, 0.998f, 0.998f}, /* 435 */
{KTPR_STATE, 1, 0.502f, 0.998f, 0.998f}, /* 442 */
{KTPR_RELIGION, 1, 0.093f, 0.998f, 0.998f}, /* 443 */
{KTPR_MARITAL_STATUS, 1, 0.152f, 0.999f, 0.998f}, /* 439 */
{KTPR_OCCUPATION, 1, 0.042f, 0.042f, 0.125f}, /* 1 */
{KTPR_OCCUPATION, 1, 0.086f, 0.999f, 0.998f}, /* 427 */
{KTPR_NATIONALITY, 1, 0.120f, 0.998f, 0.998f}, /* 440 */
{KTPR_VALID_UNTIL, 1, 0.149f, 0.997f, 0.981f}, /* 39 */
{KTPR_ISSUED_PLACE, 1, 0.462f, 0.998f, 0.976f}, /* 30 */
{KTPR_ISSUED_DATE, 1, 0.473f, 0.997f, 0.980f}, /* 37 */
{KTPR_ALL_FIELDS, 0, 0.000f, 0.759f, 0.168f}, /* 48 */
{KTPR_ALL_FIELDS, 0, 0.772f, 0.904f, 0.212f}, /* 19 */
{KTPR_ALL_FIELDS, 0, 0.915f, 0.921f, 0.417f}, /* 2 */
{KTPR_ALL_FIELDS, 0, 0.922f, 0.946f, 0.583f}, /* 8 */
{KTPR_ALL_FIELDS, 0, 0.948f, 0.986f, 0.766f}, /* 15 */
{KTPR_ALL_FIELDS, 0, 0.989f, 0.997f, 0.917f}, /* 8 */
