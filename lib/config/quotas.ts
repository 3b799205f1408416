/**
 * The service quotas that a standby runs into first when it grows, by the kind of what grows. The
 * readiness check reads them, the deployment allows exactly these to be read.
 */
export interface ServiceQuota {
  readonly serviceCode: string;
  readonly quotaCode: string;
  readonly name: string;
}

export const QUOTAS = {
  'auto-scaling-group': {
    serviceCode: 'ec2',
    quotaCode: 'L-1216C47A',
    name: 'vCPUs of running on-demand standard instances',
  },
  'ecs-service': {
    serviceCode: 'fargate',
    quotaCode: 'L-3032A538',
    name: 'vCPUs of on-demand Fargate tasks',
  },
  'lambda-concurrency': {
    serviceCode: 'lambda',
    quotaCode: 'L-B99A9384',
    name: 'concurrent executions of Lambda',
  },
  database: { serviceCode: 'rds', quotaCode: 'L-7B6409FD', name: 'DB instances' },
} as const satisfies { readonly [kind: string]: ServiceQuota };
