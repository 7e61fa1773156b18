-- Ad-hoc questions about a fleet, for DuckDB over what fleet.py wrote: duckdb -c "SET VARIABLE out = 'OUT'" ...
-- Each host is one sample: the median over hosts of each host's median, and the hosts that stand out.

-- name: kernels
SELECT kernel, function, count(DISTINCT host) AS hosts, sum(count)::BIGINT AS calls, sum(total_ns)::BIGINT AS total_ns,
       min(min_ns) AS min_ns, max(max_ns) AS max_ns, median(median_ns) AS hosts_median_ns
FROM read_parquet(getvariable('out') || '/functions/*.parquet')
WHERE count > 0 GROUP BY ALL ORDER BY ALL;

-- name: slowest
SELECT host, kernel, count, round(median_ns / 1e6, 3) AS median_ms, round(p99_ns / 1e6, 3) AS p99_ms
FROM read_parquet(getvariable('out') || '/functions/*.parquet')
WHERE count > 0
QUALIFY row_number() OVER (PARTITION BY kernel ORDER BY median_ns DESC, host) <= 3 ORDER BY kernel, median_ns DESC, host;

-- name: failures
SELECT path, error FROM read_parquet(getvariable('out') || '/traces/*.parquet') WHERE error IS NOT NULL ORDER BY path;
